//! The client's network behind trusted reverse proxies (`X-Forwarded-For`, `Forwarded`), and whether it uses
//! TLS.

use std::{
    net::{IpAddr, SocketAddr},
    str::FromStr,
};

use axum::extract::ConnectInfo;
use ipnet::IpNet;

use crate::Head;

/// Marks the head of a request whose connection to this server is one over TLS, as an extension of it.
#[derive(Clone, Copy, Debug)]
pub struct OverTls;

/// The networks of trusted proxies. Forwarding headers of other peers are ignored.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Proxies(Vec<IpNet>);

impl FromStr for Proxies {
    type Err = String;

    /// Parses a comma-separated list of networks and addresses: `10.0.0.0/8, 127.0.0.1`.
    fn from_str(text: &str) -> Result<Self, String> {
        let network = |text: &str| {
            let text = text.trim();
            let address = text.parse::<IpAddr>().map(IpNet::from);
            address
                .or_else(|_| text.parse())
                .map_err(|_| format!("`{text}` is no network, such as `10.0.0.0/8`"))
        };
        text.split(',').map(network).collect::<Result<_, _>>().map(Proxies)
    }
}

impl Proxies {
    fn trusts(&self, address: IpAddr) -> bool {
        self.0.iter().any(|it| it.contains(&address))
    }

    /// The network of the client for rate limits: a /24 or a /64.
    ///
    /// `None` if it is unknown: a private address that is no trusted proxy may be a proxy in front of all
    /// clients.
    pub fn network_of(&self, head: &Head) -> Option<IpNet> {
        let peer = peer(head)?;
        if !self.trusts(peer) {
            return Some(peer).filter(|it| is_public(*it)).map(network);
        }
        let claimed = match (self.hop(&items(head, "x-forwarded-for")), self.hop(&forwarded(head, "for"))) {
            (None, None) => return None,
            (Some(client), None) | (None, Some(client)) => client.map(network),
            (Some(one), Some(other)) if one == other => one.map(network),
            // The headers differ: the client wrote one of them, and it is unknown which.
            _ => None,
        };
        claimed.or_else(|| Some(network(peer)))
    }

    /// The last hop that is not a trusted proxy. The outer `None`: the header is absent; the inner: the hop
    /// is not an address.
    fn hop(&self, hops: &[&str]) -> Option<Option<IpAddr>> {
        let (last, _) = hops.split_last()?;
        let mut client = address(last);
        for hop in hops.iter().rev().skip(1) {
            match client {
                Some(it) if self.trusts(it) => client = address(hop),
                _ => break,
            }
        }
        Some(client)
    }

    /// Did the client use TLS? Behind a trusted proxy only that can tell, by its headers; otherwise it is
    /// known from the connection.
    pub fn is_secure(&self, head: &Head) -> bool {
        if !peer(head).is_some_and(|it| self.trusts(it)) {
            return head.extensions.get::<OverTls>().is_some();
        }
        let (one, other) = (items(head, "x-forwarded-proto"), forwarded(head, "proto"));
        let claimed: Vec<&str> = [one.last(), other.last()].into_iter().flatten().copied().collect();
        !claimed.is_empty() && claimed.iter().all(|it| it.eq_ignore_ascii_case("https"))
    }
}

/// The address of the peer of the connection, if known.
fn peer(head: &Head) -> Option<IpAddr> {
    head.extensions.get::<ConnectInfo<SocketAddr>>().map(|it| it.0.ip().to_canonical())
}

/// The network that an internet provider usually assigns to one customer.
fn network(address: IpAddr) -> IpNet {
    let n_bits = if address.is_ipv4() { 24 } else { 64 };
    IpNet::new(address, n_bits).map_or_else(|_| address.into(), |it| it.trunc())
}

fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(it) => !it.is_loopback() && !it.is_private() && !it.is_link_local(),
        IpAddr::V6(it) => !it.is_loopback() && !it.is_unique_local() && !it.is_unicast_link_local(),
    }
}

/// The comma-separated items of all headers of this name, in order.
fn items<'a>(head: &'a Head, name: &str) -> Vec<&'a str> {
    let lines = head.headers.get_all(name).into_iter().map(|it| it.to_str().unwrap_or("?"));
    lines.flat_map(|line| line.split(',')).map(str::trim).collect()
}

/// The values of this parameter in the elements of `Forwarded`, `?` where it is absent. Addresses and schemes
/// contain no comma and no semicolon.
fn forwarded<'a>(head: &'a Head, name: &str) -> Vec<&'a str> {
    let value = |element: &'a str| {
        let mut pairs = element.split(';').filter_map(|it| it.trim().split_once('='));
        let found = pairs.find(|(it, _)| it.eq_ignore_ascii_case(name));
        found.map_or("?", |(_, value)| value.trim_matches('"'))
    };
    items(head, "forwarded").into_iter().map(value).collect()
}

/// Parses an address, with or without brackets and port.
fn address(hop: &str) -> Option<IpAddr> {
    let bare = hop.strip_prefix('[').and_then(|it| it.split(']').next()).unwrap_or(hop);
    let parsed = bare.parse::<IpAddr>().ok();
    parsed.or_else(|| hop.parse::<SocketAddr>().ok().map(|it| it.ip())).map(|it| it.to_canonical())
}

#[cfg(test)]
mod tests {
    use axum::http::Request;

    use super::*;

    fn head(peer: &str, headers: &[(&str, &str)]) -> Head {
        let mut request = Request::builder().uri("/");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let (mut head, ()) = request.body(()).expect("a request").into_parts();
        let peer: IpAddr = peer.parse().expect("an address");
        head.extensions.insert(ConnectInfo(SocketAddr::new(peer, 4711)));
        head
    }

    #[test]
    fn trusted_networks_and_addresses_are_parsed() {
        for text in ["", "nginx", "10.0.0.0/33", "10.0.0.1:80", "10.0.0.0/8,"] {
            assert!(text.parse::<Proxies>().is_err(), "{text}");
        }
        let proxies: Proxies = "10.0.0.0/8, ::1,127.0.0.1".parse().expect("networks");
        assert!(["10.9.9.9", "::1", "127.0.0.1"].iter().all(|it| proxies.trusts(it.parse().expect("one"))));
        assert!(!proxies.trusts("11.0.0.1".parse().expect("an address")));
    }

    #[test]
    fn client_address_is_the_last_untrusted_hop() {
        let proxies: Proxies = "10.0.0.0/8, fd00::/8".parse().expect("networks");
        let check = |peer: &str, headers: &[(&str, &str)], expected: &str| {
            let network = proxies.network_of(&head(peer, headers));
            assert_eq!(network.map_or(String::new(), |it| it.to_string()), expected, "{peer} {headers:?}");
        };
        let (xff, forwarded) = ("x-forwarded-for", "forwarded");
        check("203.0.113.7", &[], "203.0.113.0/24");
        check("::ffff:203.0.113.7", &[], "203.0.113.0/24");
        check("2001:db8:1:2:3::4", &[], "2001:db8:1:2::/64");
        // Headers of untrusted peers are ignored; a private peer may be a proxy.
        check("203.0.113.7", &[(xff, "198.51.100.1")], "203.0.113.0/24");
        check("192.168.0.1", &[(xff, "198.51.100.1")], "");
        check("127.0.0.1", &[], "");
        check("10.0.0.1", &[], "");
        check("10.0.0.1", &[(xff, "198.51.100.1")], "198.51.100.0/24");
        check("::ffff:10.0.0.1", &[(xff, "198.51.100.1")], "198.51.100.0/24");
        check("10.0.0.1", &[(xff, "1.2.3.4, 198.51.100.1:80, 10.0.0.2")], "198.51.100.0/24");
        check("10.0.0.1", &[(xff, "1.2.3.4"), (xff, "[2001:db8::1]:80")], "2001:db8::/64");
        check("10.0.0.1", &[(xff, "10.0.0.3, 10.0.0.2")], "10.0.0.0/24");
        check(
            "10.0.0.1",
            &[(forwarded, "for=1.2.3.4, for=\"[2001:db8::1]:80\";proto=https")],
            "2001:db8::/64",
        );
        check("10.0.0.1", &[(forwarded, "For=198.51.100.1;by=10.0.0.1")], "198.51.100.0/24");
        check("10.0.0.1", &[(forwarded, "for=\"1.2.3.4, for=198.51.100.1")], "198.51.100.0/24");
        // If a hop is not an address, or only one header names it, the network is that of the proxy.
        check("10.0.0.1", &[(xff, "unknown")], "10.0.0.0/24");
        check("10.0.0.1", &[(xff, "1.2.3.4, unknown")], "10.0.0.0/24");
        check("10.0.0.1", &[(xff, "")], "10.0.0.0/24");
        check("10.0.0.1", &[(forwarded, "proto=https")], "10.0.0.0/24");
        check("10.0.0.1", &[(xff, "198.51.100.1"), (forwarded, "for=1.2.3.4")], "10.0.0.0/24");
        check("10.0.0.1", &[(xff, "198.51.100.1"), (forwarded, "for=198.51.100.1")], "198.51.100.0/24");
        assert_eq!(Proxies::default().network_of(&head("10.0.0.1", &[(xff, "1.2.3.4")])), None);
    }

    #[test]
    fn trusted_proxy_states_the_scheme() {
        let proxies: Proxies = "10.0.0.1".parse().expect("networks");
        let check = |peer: &str, headers: &[(&str, &str)], expected: bool| {
            assert_eq!(proxies.is_secure(&head(peer, headers)), expected, "{peer} {headers:?}");
        };
        check("10.0.0.1", &[("x-forwarded-proto", "https")], true);
        check("10.0.0.1", &[("forwarded", "for=1.2.3.4;proto=https")], true);
        check("10.0.0.1", &[("x-forwarded-proto", "https, http")], false);
        check("10.0.0.1", &[("x-forwarded-proto", "http"), ("forwarded", "proto=https")], false);
        check("10.0.0.1", &[], false);
        check("10.0.0.2", &[("x-forwarded-proto", "https")], false);
        let over_tls = |peer: &str, headers: &[(&str, &str)]| {
            let mut head = head(peer, headers);
            head.extensions.insert(OverTls);
            proxies.is_secure(&head)
        };
        assert!(over_tls("10.0.0.2", &[("x-forwarded-proto", "http")]));
        // The client of the proxy may not have used it.
        assert!(!over_tls("10.0.0.1", &[]));
    }
}
