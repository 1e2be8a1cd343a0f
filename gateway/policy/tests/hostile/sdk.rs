//! Tests that the SDK for policies and the gateway have the same bounds.

use std::collections::BTreeSet;

use gateway_core::{DETECTORS, bounds};

#[expect(unreachable_pub, reason = "the constants are public in the SDK")]
#[path = "../../../../policies/sdk/src/bounds.rs"]
mod of_policies;

#[test]
fn the_sdk_has_the_gateways_bounds() {
    assert_eq!(of_policies::TEXT_MAX, bounds::TEXT_MAX);
    assert_eq!(of_policies::GLOB_STARS_MAX, bounds::GLOB_STARS_MAX);
}

#[test]
fn the_sdk_has_the_gateways_detectors() {
    assert_eq!(
        BTreeSet::from(of_policies::DETECTORS),
        BTreeSet::from(DETECTORS)
    );
}
