//! Addresses of the internet. Versions of software look like version 4 (`1.2.3.4`): small numbers are a weak sign.

use std::net::{Ipv4Addr, Ipv6Addr};

use crate::detect::{Detector, Entity, Reading};

pub(crate) const DETECTOR: Detector = Detector {
    entity: Entity::IpAddress,
    context: &["ip", "ip address", "ipaddr", "ipv4", "ipv6", "client ip", "remote addr", "host address"],
    read,
};

fn read(value: &str) -> Reading {
    // A network, `10.0.0.0/8`.
    let (address, prefix) = value.split_once('/').unwrap_or((value, "0"));
    if prefix.len() > 3 || prefix.parse::<u8>().is_err() {
        return Reading::No;
    }
    if let Ok(address) = address.parse::<Ipv4Addr>() {
        let octets = address.octets();
        let small = octets.iter().filter(|octet| **octet < 32).count();
        // 0.x.x.x is no host; all parts small is a version more often than an address, unless it is a private network.
        return match small {
            _ if octets[0] == 0 => Reading::No,
            4 if octets[0] == 10 && octets[1] == 0 => Reading::Form(0.6),
            4 => Reading::Form(0.3),
            3 => Reading::Form(0.7),
            _ => Reading::Form(0.93),
        };
    }
    match address.parse::<Ipv6Addr>() {
        Ok(address) if address.segments().iter().filter(|segment| **segment != 0).count() > 1 => Reading::Form(0.97),
        Ok(address) if address.is_loopback() => Reading::Form(0.6),
        _ => Reading::No,
    }
}
