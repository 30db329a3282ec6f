//! Addresses of webhooks: what is refused before any name is resolved.

use std::net::IpAddr;

use atoll_providers::Reach;
use reqwest::Url;

/// Reads an address to which a webhook may be sent, as far as that can be said without resolving its name.
/// IP addresses in any notation (`0x7f.1`, `2130706433`) are read as browsers read them. Error: why not.
pub(crate) fn read(text: &str, reach: &Reach) -> Result<Url, String> {
    let url = Url::parse(text).map_err(|it| format!("it is no address: {it}"))?;
    match url.scheme() {
        "https" => {}
        "http" if reach.plain_http => {}
        "http" => {
            return Err(
                "it must begin with `https://`; the setting `webhooks.allow_http` allows others".into()
            );
        }
        other => return Err(format!("`{other}` is not `https`")),
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err("it must not hold a user or a password".into());
    }
    if url.fragment().is_some() {
        return Err("what is behind `#` would not be sent".into());
    }
    reach.check_port(url.port_or_known_default().unwrap_or_default())?;
    match literal(&url) {
        Some(address) => reach.check_address(address).map(|()| url),
        None => Ok(url),
    }
}

/// The IP address that stands for the host; none for a name, which is resolved.
fn literal(url: &Url) -> Option<IpAddr> {
    url.host_str()?.trim_start_matches('[').trim_end_matches(']').parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_lead_to_public_receivers_by_tls() {
        for (text, expected) in [
            ("https://erp.example.com/atoll?shop=1", None),
            ("https://erp.example.com:8443/", None),
            ("https://93.184.215.14/", None),
            ("https://[2606:4700::1111]/", None),
            ("http://erp.example.com/", Some("allow_http")),
            ("ftp://erp.example.com/", Some("is not `https`")),
            ("file:///etc/passwd", Some("is not `https`")),
            ("gopher://127.0.0.1:25/", Some("is not `https`")),
            ("erp.example.com", Some("no address")),
            ("https://", Some("no address")),
            ("https://user@erp.example.com/", Some("a user")),
            ("https://user:word@erp.example.com/", Some("a user")),
            ("https://erp.example.com/#secret", Some("`#`")),
            ("https://erp.example.com:22/", Some("port 22")),
            ("https://127.0.0.1/", Some("not public")),
            // The same in other notations.
            ("https://127.1/", Some("not public")),
            ("https://2130706433/", Some("not public")),
            ("https://0x7f000001/", Some("not public")),
            ("https://0x7f.1/", Some("not public")),
            ("https://0177.0.0.1/", Some("not public")),
            ("https://①②⑦.0.0.1/", Some("not public")),
            ("https://[::1]/", Some("not public")),
            ("https://[::ffff:127.0.0.1]/", Some("not public")),
            ("https://[::ffff:7f00:1]/", Some("not public")),
            ("https://[64:ff9b::7f00:1]/", Some("not public")),
            ("https://169.254.169.254/latest/meta-data/", Some("not public")),
            ("https://0/", Some("not public")),
        ] {
            let error = read(text, &Reach::default()).err();
            match expected {
                None => assert_eq!(error, None, "{text}"),
                Some(part) => {
                    assert!(error.as_ref().is_some_and(|it| it.contains(part)), "{text}: {error:?}")
                }
            }
        }
    }

    #[test]
    fn an_operator_may_allow_more() {
        let private = vec!["127.0.0.0/8".parse().expect("a network")];
        let reach = Reach { private, plain_http: true };
        for (text, may_be) in [
            ("http://127.0.0.1:9999/", true),
            ("http://0x7f.1:9999/", true),
            ("http://10.0.0.1/", false),
            ("http://127.0.0.1:22/", false),
        ] {
            assert_eq!(read(text, &reach).is_ok(), may_be, "{text}");
        }
    }
}
