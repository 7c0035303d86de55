//! DQDL rules.
