//! All detectors. A new one is a file in `types/` and a line here.

use super::detector::Detector;
use super::entity::Entity;
use super::types::*;

/// All detectors, in the order of [`Entity::ALL`].
pub fn all() -> &'static [&'static Detector] {
    &[
        &usa_ssn::DETECTOR,
        &email::DETECTOR,
        &usa_itin::DETECTOR,
        &usa_passport_number::DETECTOR,
        &phone_number::DETECTOR,
        &usa_driving_license::DETECTOR,
        &bank_account::DETECTOR,
        &credit_card::DETECTOR,
        &ip_address::DETECTOR,
        &mac_address::DETECTOR,
        &usa_dea_number::DETECTOR,
        &usa_hcpcs_code::DETECTOR,
        &usa_national_provider_identifier::DETECTOR,
        &usa_national_drug_code::DETECTOR,
        &usa_health_insurance_claim_number::DETECTOR,
        &usa_medicare_beneficiary_identifier::DETECTOR,
        &usa_cpt_code::DETECTOR,
        &person_name::DETECTOR,
        &date::DETECTOR,
    ]
}

/// The detector of a type.
pub fn of(entity: Entity) -> &'static Detector {
    // Both lists are in one order, which a test holds.
    all()[entity as usize]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_type_has_its_detector() {
        let entities: Vec<Entity> = all().iter().map(|detector| detector.entity).collect();
        assert_eq!(entities, Entity::ALL);
        assert_eq!(Entity::ALL.len(), 19);
        assert_eq!(Entity::named("USA_ALL").unwrap().len(), 17);
        assert!(Entity::ALL.iter().all(|entity| of(*entity).entity == *entity));
    }
}
