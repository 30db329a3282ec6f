//! The address of the collector.

use std::str::FromStr;

use hyper::Uri;

/// The path at which a collector takes spans, below its address.
const PATH: &str = "/v1/traces";

/// The port of OTLP over HTTP.
const PORT: u16 = 4318;

/// Where a collector takes spans: `http://127.0.0.1:4318`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    /// Host and port, to connect to.
    pub(crate) address: String,
    /// As the header `Host` has it.
    pub(crate) host: String,
    pub(crate) path: String,
}

/// Why a text is no address of a collector.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "it must be an address such as `http://127.0.0.1:4318`, of a collector on this machine or in its network"
)]
pub struct NoEndpoint;

impl FromStr for Endpoint {
    type Err = NoEndpoint;

    /// Without TLS: a collector stands beside what it collects of, and sends on by what it is set up for.
    fn from_str(text: &str) -> Result<Endpoint, NoEndpoint> {
        let uri: Uri = text.parse().map_err(|_| NoEndpoint)?;
        let authority = uri.authority().filter(|it| !it.as_str().contains('@')).ok_or(NoEndpoint)?;
        if uri.scheme_str() != Some("http") || uri.query().is_some() {
            return Err(NoEndpoint);
        }
        let address = format!("{}:{}", authority.host(), authority.port_u16().unwrap_or(PORT));
        let path = format!("{}{PATH}", uri.path().trim_end_matches('/'));
        Ok(Endpoint { address, host: authority.as_str().to_owned(), path })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_collectors_are_read() {
        let check = |text: &str, expected: Option<(&str, &str)>| {
            let read = text.parse::<Endpoint>().ok().map(|it| (it.address, it.path));
            assert_eq!(read, expected.map(|(address, path)| (address.into(), path.into())), "{text}");
        };
        check("http://127.0.0.1:4318", Some(("127.0.0.1:4318", "/v1/traces")));
        check("http://collector/otlp/", Some(("collector:4318", "/otlp/v1/traces")));
        check("http://[::1]:4318/", Some(("[::1]:4318", "/v1/traces")));
        check("https://collector:4318", None);
        check("http://user:secret@collector", None);
        check("127.0.0.1:4318", None);
        check("http://collector?key=secret", None);
    }
}
