//! What the guest was told to do, and what it remembers.

use std::sync::Mutex;

/// Everything that outlives a call, if anything does.
#[derive(Default)]
pub struct Memory {
    pub settings: String,
    pub configured: u32,
    #[cfg(feature = "authorizer")]
    pub calls: u32,
    #[cfg(feature = "authorizer")]
    pub seen: Vec<String>,
}

pub static MEMORY: Mutex<Memory> = Mutex::new(Memory {
    settings: String::new(),
    configured: 0,
    #[cfg(feature = "authorizer")]
    calls: 0,
    #[cfg(feature = "authorizer")]
    seen: Vec::new(),
});

/// The word after `"do":"`, without a JSON parser: the guest is to stay small.
pub fn deed() -> String {
    let memory = MEMORY.lock().unwrap();
    let deed = memory.settings.split_once("\"do\":\"").and_then(|(_, rest)| rest.split_once('"'));
    deed.map(|(deed, _)| deed.to_owned()).unwrap_or_default()
}

/// The schema, or what stands for it.
pub fn schema() -> String {
    match deed().as_str() {
        "schema-loop" => crate::deeds::spin(),
        "schema-text" => "no JSON at all".to_owned(),
        "schema-nested" => "[".repeat(100_000),
        "schema-huge" => format!("\"{}\"", "x".repeat(8 << 20)),
        "schema-trap" => core::arch::wasm32::unreachable(),
        _ => r#"{"type":"object"}"#.to_owned(),
    }
}

pub fn configure(settings: String) -> Result<(), String> {
    {
        let mut memory = MEMORY.lock().unwrap();
        memory.settings = settings;
        memory.configured += 1;
    }
    match deed().as_str() {
        "configure-loop" => crate::deeds::spin(),
        "configure-memory" => crate::deeds::hoard(),
        "configure-recursion" => drop(crate::deeds::recurse(1)),
        "configure-trap" => core::arch::wasm32::unreachable(),
        "configure-refuse" => return Err("the key `do` says `configure-refuse`".to_owned()),
        "configure-refuse-huge" => return Err("x".repeat(8 << 20)),
        "configure-late" => crate::deeds::fill(100),
        _ => {}
    }
    Ok(())
}
