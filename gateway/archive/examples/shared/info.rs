//! The facts of a checkpoint that the examples make up.

use std::error::Error;

use gateway_archive::CheckpointInfo;
use gateway_core::{CheckpointId, Container, RequestId, RuntimeInfo, Target};
use uuid::Uuid;

/// Those of the checkpoint `number`.
pub(crate) fn info(number: u128) -> Result<CheckpointInfo, Box<dyn Error>> {
    let text = String::new;
    let target = Target::new("shop", "cart-0", "app")?;
    Ok(CheckpointInfo {
        id: CheckpointId::from(Uuid::from_u128(number)),
        target: target.clone(),
        container_id: text(),
        pod_uid: text(),
        image: text(),
        container: Container::named(target, text()),
        created_by: text(),
        reason: None,
        runtime: RuntimeInfo {
            name: text(),
            version: text(),
        },
        request_id: RequestId::from(Uuid::from_u128(number)),
        trace_id: None,
        hidden: Vec::new(),
        texts: gateway_redact::TextMasker::default(),
        created_at: jiff::Timestamp::now(),
    })
}
