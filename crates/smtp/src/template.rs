//! Templates of e-mails (Jinja): the built-in ones, and those of a folder, with folders of channels in it.
//! The first line of a text is the subject.

use std::{
    fs,
    io::ErrorKind,
    path::{Path, PathBuf},
};

use atoll_kernel::serde_json::Value;
use minijinja::{Environment, Error};

/// The built-in templates, by the name of the event.
const BUILT_IN: [(&str, &str); 8] = [
    ("auth.password_reset", include_str!("../templates/auth.password_reset.txt")),
    ("invite.created", include_str!("../templates/invite.created.txt")),
    ("invite.resent", include_str!("../templates/invite.created.txt")),
    ("notification.test", include_str!("../templates/notification.test.txt")),
    ("order.placed", include_str!("../templates/order.placed.txt")),
    ("order.transfer_requested", include_str!("../templates/order.transfer_requested.txt")),
    ("restock.available", include_str!("../templates/restock.available.txt")),
    ("shipment.created", include_str!("../templates/shipment.created.txt")),
];

/// Instructions that one template may run: an order with a thousand lines takes some ten thousand. A loop
/// without end is an error.
const FUEL: u64 = 1_000_000;

/// Bytes of a template: more than any e-mail has.
const TEMPLATE_BYTES_MAX: u64 = 256 * 1024;

/// The content of an e-mail.
#[derive(Debug, PartialEq)]
pub(crate) struct Content {
    pub(crate) subject: String,
    pub(crate) text: String,
    pub(crate) html: Option<String>,
}

/// Fills the template of this name: that of the first folder which has its text, or the built-in one. Its
/// HTML is of that folder or of one before it, so that it does not speak in the name of another channel.
pub(crate) fn fill(folders: &[PathBuf], name: &str, data: &Value) -> Result<Content, String> {
    let (mut text, mut html) = (None, None);
    for folder in folders.iter().filter(|_| is_plain(name)) {
        let own = |extension: &str| read(&folder.join(format!("{name}.{extension}")));
        text = own("txt")?;
        if html.is_none() {
            html = own("html")?;
        }
        if text.is_some() {
            break;
        }
    }
    let built_in = || BUILT_IN.iter().find(|(it, _)| *it == name).map(|(_, text)| (*text).to_owned());
    let text = text.or_else(built_in).ok_or_else(|| format!("there is no template `{name}.txt`"))?;
    let (subject, text) = text.split_once('\n').unwrap_or((&text, ""));
    let environment = environment();
    // By the extension it is known what is to be escaped.
    let fill = |extension: &str, source: &str| {
        let name = format!("{name}.{extension}");
        environment.render_named_str(&name, source, data).map_err(|error| at_fault(&name, &error))
    };
    let subject = fill("txt", subject)?;
    // It is one line, whatever the data holds.
    let subject = subject.split(char::is_control).collect::<Vec<_>>().join(" ").trim().to_owned();
    let text = fill("txt", text.trim_start())?;
    let html = html.map(|it| fill("html", &it)).transpose()?;
    Ok(Content { subject, text, html })
}

fn environment<'a>() -> Environment<'a> {
    let mut environment = Environment::new();
    environment.set_fuel(Some(FUEL));
    environment
}

/// Whether this is the name of something in a folder, and not of something elsewhere.
pub(crate) fn is_plain(name: &str) -> bool {
    !name.is_empty()
        && !name.starts_with('.')
        && !name.contains(|it: char| "/\\:".contains(it) || it.is_control())
}

/// The text of a file; none if there is no such file.
fn read(file: &Path) -> Result<Option<String>, String> {
    let wrong = |error: std::io::Error| format!("`{}` cannot be read: {error}", file.display());
    match fs::metadata(file) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(wrong(error)),
        Ok(known) if known.len() > TEMPLATE_BYTES_MAX => {
            Err(format!("`{}` has more than {TEMPLATE_BYTES_MAX} bytes", file.display()))
        }
        Ok(_) => fs::read_to_string(file).map(Some).map_err(wrong),
    }
}

/// What is wrong with a template, without the data, which may hold a token.
fn at_fault(name: &str, error: &Error) -> String {
    let line = error.line().map(|it| format!(" (line {it})")).unwrap_or_default();
    format!("the template `{name}` is wrong: {}{line}", error.kind())
}

/// Checks a folder of templates, with the folders of channels in it. Error: it cannot be read, or the first
/// template that is wrong.
pub(crate) fn check_templates(folder: &Path) -> Result<(), String> {
    let folders = files_of(folder)?.into_iter().filter(|it| it.is_dir());
    for folder in [folder.to_owned()].into_iter().chain(folders) {
        check_folder(&folder)?;
    }
    Ok(())
}

fn files_of(folder: &Path) -> Result<Vec<PathBuf>, String> {
    let entries =
        fs::read_dir(folder).map_err(|error| format!("it is no folder that can be read: {error}"))?;
    let mut files: Vec<_> = entries.filter_map(|it| Some(it.ok()?.path())).collect();
    files.sort();
    Ok(files)
}

fn check_folder(folder: &Path) -> Result<(), String> {
    for file in files_of(folder)? {
        let extension = file.extension().and_then(|it| it.to_str());
        if let (Some("txt" | "html"), Some(name)) = (extension, file.file_name().and_then(|it| it.to_str()))
            && let Some(text) = read(&file)?
        {
            environment().template_from_named_str(name, &text).map_err(|error| at_fault(name, &error))?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::slice::from_ref;

    use atoll_kernel::serde_json::json;

    use super::*;

    #[test]
    fn templates_of_the_folder_replace_built_in_ones() {
        let folder = tempfile::tempdir().expect("a folder");
        let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).expect("a file");
        let data = json!({ "token": "<t>", "name": "Ann\r\nBcc: eve@mail.test" });
        let fill = |name: &str| fill(&[folder.path().to_owned()], name, &data);
        assert!(fill("invite.created").expect("built in").text.contains("<t>"));
        assert_eq!(fill("stamp.licked").expect_err("unknown"), "there is no template `stamp.licked.txt`");
        write("invite.created.txt", "Hello {{ name }}\n\nyour token: {{ token }}\n");
        write("invite.created.html", "<p>{{ token }}</p>");
        let content = fill("invite.created").expect("a mail");
        assert_eq!(content.subject, "Hello Ann  Bcc: eve@mail.test");
        assert_eq!(content.text, "your token: <t>");
        assert_eq!(content.html.as_deref(), Some("<p>&lt;t&gt;</p>"));
        check_templates(folder.path()).expect("they are right");
        write("invite.created.txt", "Hello\n\n{% for it in token %}");
        let error = check_templates(folder.path()).expect_err("it is wrong");
        assert_eq!(error, "the template `invite.created.txt` is wrong: syntax error (line 3)");
        assert!(check_templates(&folder.path().join("nowhere")).is_err());
    }

    #[test]
    fn text_and_html_are_of_one_folder() {
        let all = tempfile::tempdir().expect("a folder");
        let outlet = all.path().join("Outlet");
        fs::create_dir(&outlet).expect("a folder");
        let write =
            |folder: &Path, name: &str, text: &str| fs::write(folder.join(name), text).expect("a file");
        write(all.path(), "notification.test.txt", "Shop\n\nshop");
        write(all.path(), "notification.test.html", "shop");
        let fill = || {
            let folders = [outlet.clone(), all.path().to_owned()];
            let it = fill(&folders, "notification.test", &json!({ "shop": { "name": "" } })).expect("a mail");
            (it.subject, it.html)
        };
        assert_eq!(fill(), ("Shop".to_owned(), Some("shop".to_owned())));
        write(&outlet, "notification.test.txt", "Outlet\n\noutlet");
        assert_eq!(fill(), ("Outlet".to_owned(), None));
        fs::remove_file(outlet.join("notification.test.txt")).expect("a file");
        write(&outlet, "notification.test.html", "outlet");
        // HTML of the channel, beside the text of the shop.
        assert_eq!(fill(), ("Shop".to_owned(), Some("outlet".to_owned())));
    }

    #[test]
    fn templates_end_and_stay_in_their_folder() {
        let folder = tempfile::tempdir().expect("a folder");
        let inside = folder.path().join("mails");
        fs::create_dir(&inside).expect("a folder");
        fs::write(folder.path().join("secret.txt"), "secret").expect("a file");
        let error = fill(from_ref(&inside), "../secret", &json!({})).expect_err("it is outside");
        assert_eq!(error, "there is no template `../secret.txt`");
        let endless = "s\n{% for a in range(9999) %}{% for b in range(9999) %}{% endfor %}{% endfor %}";
        fs::write(inside.join("endless.txt"), endless).expect("a file");
        let error = fill(from_ref(&inside), "endless", &json!({})).expect_err("it does not end");
        assert!(error.contains("out of fuel"), "{error}");
        fs::write(inside.join("large.txt"), vec![b'a'; TEMPLATE_BYTES_MAX as usize + 1]).expect("a file");
        assert!(fill(from_ref(&inside), "large", &json!({})).is_err());
    }

    #[test]
    fn confirmations_list_what_was_ordered() {
        let items = json!([{ "title": "Shirt", "quantity": 2, "unit_price": 10.5 }]);
        let order = json!({ "display_id": 7, "currency_code": "eur", "items": items });
        let data = json!({ "id": "order_1", "total": 21, "order": order, "shop": { "name": "Tea house" } });
        let content = fill(&[], "order.placed", &data).expect("a mail");
        assert_eq!(content.subject, "Your order 7");
        assert!(content.text.contains("2 x Shirt") && content.text.contains("21 EUR"), "{}", content.text);
    }
}
