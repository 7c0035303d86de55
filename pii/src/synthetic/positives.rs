//! Values of each type.

use super::{between, fill, one_of};
use crate::Random;
use crate::checksum;
use crate::detect::Entity;

/// A value of a type, in one of its usual forms.
pub fn positive(entity: Entity, random: &mut Random) -> String {
    match entity {
        Entity::UsaSsn => ssn(random),
        Entity::Email => email(random),
        Entity::UsaItin => itin(random),
        Entity::UsaPassportNumber => any_fill(&["#########", "?########"], random),
        Entity::PhoneNumber => phone(random),
        Entity::UsaDrivingLicense => {
            let forms =
                ["?#######", "?###-###-##-###-#", "?############", "########", "??######", "?########", "#########"];
            any_fill(&forms, random)
        }
        Entity::BankAccount => match random.below(4) {
            0 | 1 => iban(random),
            2 => checked("#########", random, |number| checksum::aba(number.as_bytes())),
            _ => any_fill(&["##########", "############"], random),
        },
        Entity::CreditCard => card(random),
        Entity::IpAddress => ip(random),
        Entity::MacAddress => mac(random),
        Entity::UsaDeaNumber => {
            let kind = one_of(&["A", "B", "F", "M", "P", "R", "X"], random);
            checked(&format!("{kind}?#######"), random, |number| checksum::dea(&number.as_bytes()[2..]))
        }
        Entity::UsaHcpcsCode => {
            format!("{}{:04}", one_of(&["A", "C", "E", "G", "J", "L", "Q"], random), random.below(10_000))
        }
        Entity::UsaNationalProviderIdentifier => {
            let first = one_of(&["1", "1", "1", "2"], random);
            checked(&format!("{first}#########"), random, |number| checksum::npi(number.as_bytes()))
        }
        Entity::UsaNationalDrugCode => {
            any_fill(&["####-####-##", "#####-###-##", "#####-####-#", "#####-####-##"], random)
        }
        Entity::UsaHealthInsuranceClaimNumber => {
            let code = one_of(&["A", "B", "B1", "C1", "D", "M", "T", "W"], random);
            format!("{}{code}", ssn(random))
        }
        Entity::UsaMedicareBeneficiaryIdentifier => mbi(random),
        Entity::UsaCptCode => match random.below(10) {
            0 => format!("{:04}F", random.below(10_000)),
            1 => format!("{:04}T", random.below(1_000)),
            _ => format!("{:05}", between(100, 99_607, random)),
        },
        Entity::PersonName => name(random),
        Entity::Date => date(random),
    }
}

/// Names that columns of a type have.
pub fn names_of(entity: Entity) -> &'static [&'static str] {
    match entity {
        Entity::UsaSsn => &["ssn", "CustomerSSN", "social_security_number"],
        Entity::Email => &["email", "contact_email", "EmailAddress"],
        Entity::UsaItin => &["itin", "taxpayer_id"],
        Entity::UsaPassportNumber => &["passport_number", "passportNo"],
        Entity::PhoneNumber => &["phone", "home_telephone", "MobileNumber", "fax"],
        Entity::UsaDrivingLicense => &["drivers_license", "DriverLicenseNumber", "dl_number"],
        Entity::BankAccount => &["iban", "account_number", "routing_no"],
        Entity::CreditCard => &["card_number", "creditCard", "ccn"],
        Entity::IpAddress => &["ip", "client_ip", "IPAddress"],
        Entity::MacAddress => &["mac", "mac_address"],
        Entity::UsaDeaNumber => &["dea_number", "prescriber_dea"],
        Entity::UsaHcpcsCode => &["hcpcs", "hcpcs_code"],
        Entity::UsaNationalProviderIdentifier => &["npi", "provider_id"],
        Entity::UsaNationalDrugCode => &["ndc", "ndc_code"],
        Entity::UsaHealthInsuranceClaimNumber => &["hicn", "medicare_number"],
        Entity::UsaMedicareBeneficiaryIdentifier => &["mbi", "beneficiary_id"],
        Entity::UsaCptCode => &["cpt", "cpt_code"],
        Entity::PersonName => &["full_name", "customer_name", "patientName"],
        Entity::Date => &["birth_date", "dob", "date_of_visit"],
    }
}

fn any_fill(templates: &[&str], random: &mut Random) -> String {
    fill(one_of(templates, random), random)
}

/// Fills a template until it passes its check.
fn checked(template: &str, random: &mut Random, passes: impl Fn(&str) -> bool) -> String {
    loop {
        let value = fill(template, random);
        if passes(&value) {
            return value;
        }
    }
}

fn ssn(random: &mut Random) -> String {
    let area = match between(1, 899, random) {
        666 => 665,
        area => area,
    };
    let (group, serial) = (between(1, 99, random), between(1, 9999, random));
    match random.below(10) {
        0..7 => format!("{area:03}-{group:02}-{serial:04}"),
        7 => format!("{area:03} {group:02} {serial:04}"),
        _ => format!("{area:03}{group:02}{serial:04}"),
    }
}

fn itin(random: &mut Random) -> String {
    let group = one_of(&["50", "65", "70", "78", "88", "90", "92", "94", "99"], random);
    match random.below(5) {
        0 => fill(&format!("9##{group}####"), random),
        _ => fill(&format!("9##-{group}-####"), random),
    }
}

const GIVEN: &[&str] =
    &["Ada", "Maria", "James", "Olivia", "Wei", "Priya", "Robert", "Linda", "Zofia", "Kwame", "Bjørn", "Carlos"];
const FAMILY: &[&str] = &[
    "Smith", "Garcia", "Nguyen", "Johnson", "Lovelace", "O'Brien", "Kowalska", "Patel", "Müller", "Mensah", "Brown",
    "Lee",
];

fn name(random: &mut Random) -> String {
    let (given, family) = (one_of(GIVEN, random), one_of(FAMILY, random));
    match random.below(8) {
        0 => format!("{family}, {given}"),
        1 => format!("Dr. {given} {family}"),
        2 => format!("{given} {}. {family}", fill("?", random)),
        3 => format!("{given} {family}").to_uppercase(),
        _ => format!("{given} {family}"),
    }
}

fn email(random: &mut Random) -> String {
    let (given, family) =
        (one_of(GIVEN, random).to_lowercase(), one_of(FAMILY, random).to_lowercase().replace('\'', ""));
    let host = one_of(&["example.com", "mail.example.co.uk", "firma.example.de", "x-y.example.org"], random);
    match random.below(5) {
        0 => format!("{given}.{family}@{host}"),
        1 => format!("{given}{}@{host}", random.below(1000)),
        2 => format!("{given}+news@{host}"),
        3 => format!("{}@{}", given.to_uppercase(), host.to_uppercase()),
        _ => format!(" {given}_{family}@{host}"),
    }
}

fn phone(random: &mut Random) -> String {
    let (area, exchange) = (between(212, 989, random), between(200, 999, random));
    let area = if area % 100 == 11 { area + 1 } else { area };
    let line = random.below(10_000);
    match random.below(8) {
        0 => format!("({area}) {exchange}-{line:04}"),
        1 => format!("{area}-{exchange}-{line:04}"),
        2 => format!("{area}.{exchange}.{line:04}"),
        3 => format!("+1 {area} {exchange} {line:04}"),
        4 => format!("{area}-{exchange}-{line:04} x{}", random.below(1000)),
        5 => fill("+44 20 #### ####", random),
        6 => fill("+49 30 #######", random),
        _ => format!("{area}{exchange}{line:04}"),
    }
}

/// An IBAN of some country with digits for an account.
pub fn iban(random: &mut Random) -> String {
    let (country, account) = *random
        .pick(&[
            ("DE", "##################"),
            ("GB", "????##############"),
            ("FR", "#######################"),
            ("NL", "????##########"),
        ])
        .unwrap_or(&("DE", "##################"));
    let account = fill(account, random);
    let written = (2..=98).map(|check| format!("{country}{check:02}{account}"));
    let iban = written.into_iter().find(|iban| checksum::iban(iban.as_bytes())).unwrap_or_default();
    match random.below(2) {
        0 => iban,
        _ => iban.as_bytes().chunks(4).map(String::from_utf8_lossy).collect::<Vec<_>>().join(" "),
    }
}

fn card(random: &mut Random) -> String {
    let (template, groups): (&str, &[usize]) = match random.below(5) {
        0 => ("34#############", &[4, 6, 5]),
        1 => ("55##############", &[4, 4, 4, 4]),
        2 => ("6011############", &[4, 4, 4, 4]),
        _ => ("4###############", &[4, 4, 4, 4]),
    };
    let number = checked(template, random, |number| checksum::luhn(number.as_bytes()));
    let separator = match random.below(4) {
        0 => "-",
        1 => " ",
        _ => return number,
    };
    let mut rest = number.as_str();
    let mut parts = Vec::new();
    for group in groups {
        let (part, after) = rest.split_at(*group);
        parts.push(part);
        rest = after;
    }
    parts.join(separator)
}

fn ip(random: &mut Random) -> String {
    let part = |random: &mut Random| random.below(256);
    match random.below(6) {
        0 => format!("10.0.{}.{}", part(random), part(random)),
        1 => format!("192.168.{}.{}", part(random), part(random)),
        2 => format!("2001:db8::{:x}:{:x}", between(1, 65_535, random), between(1, 65_535, random)),
        3 => format!("fe80::{:x}:{:x}:{:x}:1", random.below(65_536), random.below(65_536), random.below(65_536)),
        _ => format!("{}.{}.{}.{}", between(1, 223, random), part(random), part(random), part(random)),
    }
}

fn mac(random: &mut Random) -> String {
    let bytes: Vec<String> = (0..6).map(|_| format!("{:02x}", random.below(256))).collect();
    match random.below(4) {
        0 => bytes.join("-").to_uppercase(),
        1 => bytes.join("").as_bytes().chunks(4).map(String::from_utf8_lossy).collect::<Vec<_>>().join("."),
        2 => bytes.join(":").to_uppercase(),
        _ => bytes.join(":"),
    }
}

fn mbi(random: &mut Random) -> String {
    const LETTERS: &[u8] = b"ACDEFGHJKMNPQRTUVWXY";
    let value: String = "CaenaenaaNN"
        .chars()
        .map(|place| {
            let letter = char::from(*random.pick(LETTERS).unwrap_or(&b'A'));
            let digit = char::from(b'0' + random.below(10) as u8);
            match place {
                'C' => char::from(b'1' + random.below(9) as u8),
                'a' => letter,
                'e' if random.below(2) == 0 => letter,
                _ => digit,
            }
        })
        .collect();
    match random.below(2) {
        0 => value,
        _ => format!("{}-{}-{}", &value[..4], &value[4..7], &value[7..]),
    }
}

fn date(random: &mut Random) -> String {
    let (year, month, day) = (between(1930, 2029, random), between(1, 12, random), between(1, 28, random));
    let name = one_of(&["Jan", "Feb", "March", "April", "May", "Jun", "Sept", "October"], random);
    match random.below(9) {
        0 => format!("{month}/{day}/{year}"),
        1 => format!("{month:02}/{day:02}/{:02}", year % 100),
        2 => format!("{day:02}.{month:02}.{year}"),
        3 => format!("{name} {day}, {year}"),
        4 => format!("{day} {name} {year}"),
        5 => format!("{year}-{month:02}-{day:02}T{:02}:{:02}:00Z", random.below(24), random.below(60)),
        _ => format!("{year}-{month:02}-{day:02}"),
    }
}
