//! The types by Glue's names.

use std::fmt;

macro_rules! entities {
    ($($name:ident $text:literal $doc:literal,)*) => {
        /// A type of personal data.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Entity {
            $(#[doc = $doc] $name,)*
        }

        impl Entity {
            /// All types.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// The name that Glue gives it.
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$name => $text,)*
                }
            }
        }
    };
}

entities! {
    UsaSsn "USA_SSN" "A social security number.",
    Email "EMAIL" "An e-mail address.",
    UsaItin "USA_ITIN" "An individual taxpayer identification number.",
    UsaPassportNumber "USA_PASSPORT_NUMBER" "The number of a passport of the United States.",
    PhoneNumber "PHONE_NUMBER" "A telephone number.",
    UsaDrivingLicense "USA_DRIVING_LICENSE" "The number of a driving licence of a state.",
    BankAccount "BANK_ACCOUNT" "A bank account: IBAN, routing number, account number.",
    CreditCard "CREDIT_CARD" "A payment card.",
    IpAddress "IP_ADDRESS" "An address of the internet, version 4 or 6.",
    MacAddress "MAC_ADDRESS" "The address of a network card.",
    UsaDeaNumber "USA_DEA_NUMBER" "A prescriber's number of the Drug Enforcement Administration.",
    UsaHcpcsCode "USA_HCPCS_CODE" "A code of the Healthcare Common Procedure Coding System, level II.",
    UsaNationalProviderIdentifier "USA_NATIONAL_PROVIDER_IDENTIFIER" "A National Provider Identifier.",
    UsaNationalDrugCode "USA_NATIONAL_DRUG_CODE" "A National Drug Code.",
    UsaHealthInsuranceClaimNumber "USA_HEALTH_INSURANCE_CLAIM_NUMBER" "A claim number of Medicare until 2019.",
    UsaMedicareBeneficiaryIdentifier "USA_MEDICARE_BENEFICIARY_IDENTIFIER" "A Medicare Beneficiary Identifier.",
    UsaCptCode "USA_CPT_CODE" "A code of Current Procedural Terminology.",
    PersonName "PERSON_NAME" "A person's name.",
    Date "DATE" "A date, with or without a time.",
}

impl Entity {
    /// Whether `USA_ALL` means it: all but names and dates.
    pub fn in_usa_all(self) -> bool {
        !matches!(self, Self::PersonName | Self::Date)
    }

    /// The types that a name means, which is that of a type or `USA_ALL`.
    ///
    /// # Errors
    /// That there is none of that name, with those there are.
    pub fn named(name: &str) -> Result<Vec<Self>, String> {
        let all = Self::ALL.iter().copied();
        let named: Vec<Self> = match name {
            "USA_ALL" => all.filter(|entity| entity.in_usa_all()).collect(),
            _ => all.filter(|entity| entity.name() == name).collect(),
        };
        match named.is_empty() {
            false => Ok(named),
            true => {
                let names: Vec<&str> = Self::ALL.iter().map(|entity| entity.name()).collect();
                Err(format!("there is no type `{name}`; there are USA_ALL, {}", names.join(", ")))
            }
        }
    }
}

impl fmt::Display for Entity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
