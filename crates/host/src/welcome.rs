//! What whoever starts a host at a terminal is told: where its pages are, how the first admin is made, and
//! what the demo has.

use std::{io::Write as _, thread};

use atoll_kernel::Ctx;

use crate::{Demo, DemoKey, Secret, command::print, invite_first_admin};

/// Says where the pages are, and how the first admin is made. A terminal that is gone, or a pipe that nobody
/// reads, keeps no host from its work.
pub(crate) async fn print_pages(at: String, ctx: Ctx) {
    let text = match invite_first_admin(&ctx).await {
        Ok(Some(token)) => format!(
            "\nNobody can log in yet. This link makes the first admin, once, within 30 minutes:\n  \
             {at}/first-admin?token={token}\n\n"
        ),
        Ok(None) => format!("\npages for merchants and operators: {at}\n\n"),
        Err(error) => return tracing::warn!(%error, "the first admin was not invited"),
    };
    // A thread of its own, since the end of the process waits for those of the runtime.
    thread::spawn(move || {
        if let Err(error) = print(&text) {
            tracing::warn!(%error, "the address of the pages was not printed");
        }
    });
}

/// Says how the demo is used: its accounts, and the keys of its channels.
pub(crate) fn print_demo(base: &str, admin: Option<&(String, Secret)>, demo: &Demo) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "\nAtoll demo at {base}")?;
    if let Some((email, Secret(password))) = admin {
        writeln!(out, "\nadmin login: {email} / {password}")?;
        writeln!(
            out,
            "  curl -s {base}/auth/user/emailpass -H 'content-type: application/json' \\\n    \
             -d '{{\"email\":\"{email}\",\"password\":\"{password}\"}}'"
        )?;
    }
    if let Some((email, password)) = demo.buyer {
        writeln!(out, "\nwholesale customer of the B2B portal: {email} / {password}")?;
    }
    writeln!(out, "\npublishable keys, one per sales channel:")?;
    for DemoKey { channel, is_disabled, token } in &demo.keys {
        let note = if *is_disabled { " (disabled: it sells nothing)" } else { "" };
        writeln!(out, "\n{channel}{note}\n  {token}")?;
        writeln!(
            out,
            "  curl -s '{base}/store/products?limit=3&fields=id,title' \\\n    -H 'x-publishable-api-key: {token}'"
        )?;
    }
    if !demo.lacks.is_empty() {
        writeln!(
            out,
            "\nnot in this demo, because their modules are switched off: {}",
            demo.lacks.join(", ")
        )?;
    }
    writeln!(out)?;
    out.flush()?;
    Ok(())
}
