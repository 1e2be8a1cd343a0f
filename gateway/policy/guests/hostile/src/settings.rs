//! The settings and the memory of the hostile guest.

use std::sync::Mutex;

/// State that would survive a call if instances were reused.
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

/// The attack: the text after `"do":"`. There is no JSON parser, to keep the guest small.
pub fn attack() -> String {
    let memory = MEMORY.lock().unwrap();
    let attack = memory
        .settings
        .split_once("\"do\":\"")
        .and_then(|(_, rest)| rest.split_once('"'));
    attack
        .map(|(attack, _)| attack.to_owned())
        .unwrap_or_default()
}

/// The schema, or an attack instead of it.
pub fn schema() -> String {
    match attack().as_str() {
        "schema-loop" => crate::attacks::spin(),
        "schema-text" => "not JSON".to_owned(),
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
    match attack().as_str() {
        "configure-loop" => crate::attacks::spin(),
        "configure-memory" => crate::attacks::hoard(),
        "configure-recursion" => drop(crate::attacks::recurse(1)),
        "configure-trap" => core::arch::wasm32::unreachable(),
        "configure-refuse" => return Err("the key `do` says `configure-refuse`".to_owned()),
        "configure-refuse-huge" => return Err("x".repeat(8 << 20)),
        "configure-late" => crate::attacks::fill(100),
        _ => {}
    }
    Ok(())
}
