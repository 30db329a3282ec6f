//! Which addresses a program may be sent to by others (SSRF): public ones alone, unless the operator allows
//! networks of their own. An address that holds another one (IPv4 in IPv6) is judged by that.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use atoll_kernel::http::IpNet;

/// What requests to addresses that others name may reach.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reach {
    /// Networks that may be asked although they are not public.
    pub private: Vec<IpNet>,
    /// May requests go without TLS?
    pub plain_http: bool,
}

/// The lowest port beside those of HTTP that may be asked: below are those of other services, such as mail.
const PORT_MIN: u16 = 1024;

/// Networks that are not public, beside those that the standard library names: what is special by the
/// registries of IANA.
const SPECIAL: &[&str] = &[
    // This network, carrier-grade NAT, protocol assignments, 6to4 relays, benchmarks, reserved.
    "0.0.0.0/8", "100.64.0.0/10", "192.0.0.0/24", "192.88.99.0/24", "198.18.0.0/15", "240.0.0.0/4",
    // NAT64 of one's own network, discard, protocol assignments (Teredo among them), documentation, segment
    // routing, unique local, link local, site local.
    "64:ff9b:1::/48", "100::/64", "2001::/23", "2001:db8::/32", "3fff::/20", "5f00::/16", "fc00::/7",
    "fe80::/10", "fec0::/10",
];

impl Reach {
    /// May this address be asked? Error: why not.
    pub fn check_address(&self, address: IpAddr) -> Result<(), String> {
        let held = held_in(address);
        let is_allowed = |it: &IpAddr| self.private.iter().any(|network| network.contains(it));
        if is_allowed(&address) || is_allowed(&held) || is_public(address) && is_public(held) {
            return Ok(());
        }
        Err(format!("the address {address} is not public"))
    }

    /// May this port be asked? Error: why not.
    pub fn check_port(&self, port: u16) -> Result<(), String> {
        match port {
            80 | 443 | PORT_MIN.. => Ok(()),
            _ => Err(format!("the port {port} is not one of HTTP: 80, 443 and those from {PORT_MIN}")),
        }
    }
}

/// The IPv4 address that an IPv6 one stands for: mapped, compatible, of 6to4 and of NAT64; else the address.
fn held_in(address: IpAddr) -> IpAddr {
    let IpAddr::V6(address) = address else { return address };
    let parts = address.segments();
    let held = |high: u16, low: u16| IpAddr::V4(Ipv4Addr::from(u32::from(high) << 16 | u32::from(low)));
    match parts {
        [0, 0, 0, 0, 0, 0 | 0xffff, high, low] if address > Ipv6Addr::LOCALHOST => held(high, low),
        [0, 0, 0, 0, 0xffff, 0, high, low] => held(high, low),
        [0x2002, high, low, ..] => held(high, low),
        [0x64, 0xff9b, 0, .., high, low] => held(high, low),
        _ => IpAddr::V6(address),
    }
}

fn is_public(address: IpAddr) -> bool {
    let is_special = || {
        let networks = SPECIAL.iter().filter_map(|it| it.parse::<IpNet>().ok());
        networks.into_iter().any(|it| it.contains(&address))
    };
    let is_named = match address {
        IpAddr::V4(it) => {
            it.is_loopback()
                || it.is_private()
                || it.is_link_local()
                || it.is_multicast()
                || it.is_broadcast()
                || it.is_documentation()
                || it.is_unspecified()
        }
        IpAddr::V6(it) => it.is_loopback() || it.is_multicast() || it.is_unspecified(),
    };
    !is_named && !is_special()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn may(reach: &Reach, address: &str) -> bool {
        reach.check_address(address.parse().expect(address)).is_ok()
    }

    #[test]
    fn networks_that_are_special_can_be_read() {
        assert!(SPECIAL.iter().all(|it| it.parse::<IpNet>().is_ok()));
    }

    #[test]
    fn public_addresses_alone_may_be_asked() {
        for (address, is_public) in [
            ("93.184.215.14", true),
            ("1.1.1.1", true),
            ("2606:4700::1111", true),
            ("2a00:1450:4001:80b::200e", true),
            // Loopback, unspecified, private, link-local (the metadata of clouds), carrier-grade NAT.
            ("127.0.0.1", false),
            ("127.255.255.254", false),
            ("0.0.0.0", false),
            ("0.1.2.3", false),
            ("10.0.0.1", false),
            ("172.16.0.1", false),
            ("172.31.255.255", false),
            ("172.32.0.1", true),
            ("192.168.1.1", false),
            ("169.254.169.254", false),
            ("100.64.0.1", false),
            ("100.127.255.255", false),
            ("100.128.0.1", true),
            // Assignments, documentation, benchmarks, multicast, reserved, broadcast.
            ("192.0.0.8", false),
            ("192.0.2.1", false),
            ("198.51.100.1", false),
            ("203.0.113.1", false),
            ("192.88.99.1", false),
            ("198.19.0.1", false),
            ("224.0.0.1", false),
            ("239.255.255.255", false),
            ("240.0.0.1", false),
            ("255.255.255.255", false),
            ("::", false),
            ("::1", false),
            ("fc00::1", false),
            ("fd12:3456::1", false),
            ("fe80::1", false),
            ("fec0::1", false),
            ("ff02::1", false),
            ("100::1", false),
            ("2001:db8::1", false),
            ("3fff::1", false),
            ("2001::1", false),
            // An IPv4 address inside: mapped, compatible, translated, 6to4, NAT64.
            ("::ffff:127.0.0.1", false),
            ("::ffff:10.0.0.1", false),
            ("::ffff:93.184.215.14", true),
            ("::127.0.0.1", false),
            ("::ffff:0:127.0.0.1", false),
            ("2002:7f00:1::", false),
            ("2002:a00:1::1", false),
            ("64:ff9b::169.254.169.254", false),
            ("64:ff9b::93.184.215.14", true),
            ("64:ff9b:1::10.0.0.1", false),
        ] {
            assert_eq!(may(&Reach::default(), address), is_public, "{address}");
        }
    }

    #[test]
    fn networks_of_the_operator_may_be_asked_and_no_others() {
        let private = vec!["10.1.0.0/16".parse().expect("a network"), "::1/128".parse().expect("a network")];
        let reach = Reach { private, plain_http: false };
        for (address, may_be) in [
            ("10.1.2.3", true),
            ("10.2.0.1", false),
            ("::ffff:10.1.2.3", true),
            ("::1", true),
            ("127.0.0.1", false),
            ("1.1.1.1", true),
        ] {
            assert_eq!(may(&reach, address), may_be, "{address}");
        }
    }

    #[test]
    fn ports_of_other_services_are_refused() {
        for (port, may_be) in
            [(80, true), (443, true), (8443, true), (1024, true), (22, false), (25, false), (0, false)]
        {
            assert_eq!(Reach::default().check_port(port).is_ok(), may_be, "{port}");
        }
    }
}
