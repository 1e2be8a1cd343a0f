//! What the examples say of a checkpoint that no container stands behind.

use std::error::Error;

use gateway_archive::About;
use gateway_core::{CheckpointId, Container, RequestId, RuntimeInfo, Target};
use uuid::Uuid;

/// The `number`th.
pub(crate) fn about(number: u128) -> Result<About, Box<dyn Error>> {
    let text = String::new;
    let target = Target::new("shop", "cart-0", "app")?;
    Ok(About {
        id: CheckpointId::from(Uuid::from_u128(number)),
        target: target.clone(),
        container_id: text(),
        pod_uid: text(),
        image: text(),
        facts: Container::named(target, text()),
        created_by: text(),
        reason: None,
        runtime: RuntimeInfo {
            name: text(),
            version: text(),
        },
        request_id: RequestId::from(Uuid::from_u128(number)),
        trace_id: None,
        hidden: Vec::new(),
        created_at: jiff::Timestamp::now(),
    })
}
