//! Tests that the SDK for policies and the gateway have the same bounds.

use std::collections::BTreeSet;

use gateway_core::{DETECTORS, bounds};

#[path = "../../../../policies/sdk/src/bounds.rs"]
mod sdk;

#[test]
fn the_sdk_has_the_gateways_bounds() {
    assert_eq!(sdk::TEXT_MAX, bounds::TEXT_MAX);
    assert_eq!(sdk::GLOB_STARS_MAX, bounds::GLOB_STARS_MAX);
}

#[test]
fn the_sdk_has_the_gateways_detectors() {
    assert_eq!(BTreeSet::from(sdk::DETECTORS), BTreeSet::from(DETECTORS));
}
