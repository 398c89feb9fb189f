use std::net::IpAddr;

/// The hosts that are reached without a proxy.
#[derive(Debug, Default)]
pub(super) struct NoProxy(Vec<Rule>);

#[derive(Debug)]
struct Rule {
    hosts: Hosts,
    port: Option<u16>,
}

#[derive(Debug)]
enum Hosts {
    All,
    Block {
        network: IpAddr,
        bits: u32,
    },
    /// The name, and all names below it.
    Domain(String),
}

impl NoProxy {
    /// Reads a list; entries that mean nothing are left out.
    pub(super) fn parse(list: &str) -> Self {
        Self(
            list.split(|c: char| c == ',' || c.is_whitespace())
                .filter_map(Rule::parse)
                .collect(),
        )
    }

    pub(super) fn matches(&self, host: &str, port: u16) -> bool {
        let host = host.strip_suffix('.').unwrap_or(host);
        let address = host.parse::<IpAddr>().ok();
        self.0.iter().any(|rule| {
            rule.port.is_none_or(|only| only == port) && rule.hosts.matches(host, address)
        })
    }
}

impl Rule {
    fn parse(entry: &str) -> Option<Self> {
        if entry.is_empty() {
            return None;
        }
        if entry == "*" {
            return Some(Self {
                hosts: Hosts::All,
                port: None,
            });
        }
        // An IPv6 address has colons of its own: with a port it stands in brackets.
        if let Some(hosts) = Hosts::block(entry) {
            return Some(Self { hosts, port: None });
        }
        let (host, port) = match entry.rsplit_once(':') {
            Some((host, port)) => (host, Some(port.parse().ok()?)),
            None => (entry, None),
        };
        let hosts = match Hosts::block(host) {
            Some(hosts) => hosts,
            None => Hosts::domain(host)?,
        };
        Some(Self { hosts, port })
    }
}

impl Hosts {
    fn block(text: &str) -> Option<Self> {
        let (address, bits) = match text.split_once('/') {
            Some((address, bits)) => (address, Some(bits.parse().ok()?)),
            None => (text, None),
        };
        let address = address
            .strip_prefix('[')
            .and_then(|address| address.strip_suffix(']'))
            .unwrap_or(address);
        let network: IpAddr = address.parse().ok()?;
        let width = width(network);
        let bits = bits.unwrap_or(width);
        (bits <= width).then_some(Self::Block { network, bits })
    }

    fn domain(text: &str) -> Option<Self> {
        let name = text.strip_prefix('*').unwrap_or(text);
        let name = name.strip_prefix('.').unwrap_or(name);
        let name = name.strip_suffix('.').unwrap_or(name);
        (!name.is_empty()).then(|| Self::Domain(name.to_ascii_lowercase()))
    }

    fn matches(&self, host: &str, address: Option<IpAddr>) -> bool {
        match self {
            Self::All => true,
            Self::Domain(name) => match host.strip_suffix(name.as_str()) {
                Some("") => true,
                Some(before) => before.ends_with('.'),
                None => false,
            },
            Self::Block { network, bits } => {
                address.is_some_and(|address| in_block(address, *network, *bits))
            }
        }
    }
}

fn width(address: IpAddr) -> u32 {
    match address {
        IpAddr::V4(_) => 32,
        IpAddr::V6(_) => 128,
    }
}

fn in_block(address: IpAddr, network: IpAddr, bits: u32) -> bool {
    let (address, network, width) = match (address, network) {
        (IpAddr::V4(a), IpAddr::V4(b)) => (u128::from(a.to_bits()), u128::from(b.to_bits()), 32),
        (IpAddr::V6(a), IpAddr::V6(b)) => (a.to_bits(), b.to_bits(), 128),
        _ => return false,
    };
    let shift = width - bits;
    address.checked_shr(shift) == network.checked_shr(shift)
}
