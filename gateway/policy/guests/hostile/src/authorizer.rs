//! The hostile authorizer.

use std::hint::black_box;

use crate::attacks;
use crate::settings::{self, MEMORY};

mod bindings {
    wit_bindgen::generate!({ path: "../../../../wit/v0.1.0", world: "authorizer" });
}

use bindings::checkpoint_gateway::policy::logging::{Level, log};
use bindings::exports::checkpoint_gateway::policy::authorization::{
    self, Decision, Denial, Request, Verdict,
};
use bindings::exports::checkpoint_gateway::policy::settings as contract;

struct Hostile;

impl contract::Guest for Hostile {
    fn schema() -> String {
        settings::schema()
    }

    fn configure(text: String) -> Result<(), String> {
        settings::configure(text)
    }
}

impl authorization::Guest for Hostile {
    fn authorize(request: Request) -> Verdict {
        match settings::attack().as_str() {
            "deny" => deny("not-today", "not on my watch"),
            "abstain" => Verdict {
                decision: Decision::Abstain,
                annotations: Vec::new(),
            },
            "loop" => attacks::spin(),
            "memory" => attacks::hoard(),
            "recursion" => deny("deep", &attacks::recurse(1).to_string()),
            "unreachable" => core::arch::wasm32::unreachable(),
            "panic" => attacks::panic(),
            "late" => {
                attacks::fill(100);
                allow(Vec::new())
            }
            "late-once" => {
                attacks::fill(1);
                allow(Vec::new())
            }
            "log" => {
                log(Level::Info, "a line");
                allow(Vec::new())
            }
            "log-flood" => flood(2_000),
            "log-forever" => flood(u32::MAX),
            "log-huge" => {
                log(Level::Error, &"x".repeat(32 << 20));
                allow(Vec::new())
            }
            "string" => allow(vec![("big".to_owned(), "x".repeat(24 << 20))]),
            "annotations" => allow(vec![("a".to_owned(), "b".to_owned()); 65]),
            "annotation-long" => allow(vec![("a".to_owned(), "b".repeat(1025))]),
            "annotation-control" => {
                allow(vec![("a".to_owned(), "b\n{\"forged\":true}".to_owned())])
            }
            "code-bad" => deny("Not A Code", ""),
            "code-ours" => deny("policy-deadline", ""),
            "message-long" => deny("long", &"x".repeat(1025)),
            "message-control" => deny("control", "\u{1b}[2Jcleared"),
            "remember" => remember(&request),
            "echo" => echo(),
            _ => allow(Vec::new()),
        }
    }
}

fn allow(annotations: Vec<(String, String)>) -> Verdict {
    Verdict {
        decision: Decision::Allow,
        annotations,
    }
}

fn deny(code: &str, message: &str) -> Verdict {
    let denial = Denial {
        code: code.to_owned(),
        message: message.to_owned(),
    };
    Verdict {
        decision: Decision::Deny(denial),
        annotations: Vec::new(),
    }
}

fn flood(lines: u32) -> Verdict {
    let line = "x".repeat(1024);
    for _ in 0..lines {
        log(Level::Debug, &line);
    }
    allow(Vec::new())
}

/// Returns everything that earlier calls stored, and stores the caller.
fn remember(request: &Request) -> Verdict {
    let mut memory = MEMORY.lock().unwrap();
    let before = memory.seen.join(",");
    memory.seen.push(request.identity.user.clone());
    memory.calls += 1;
    let calls = memory.calls.to_string();
    allow(vec![
        ("before".to_owned(), before),
        ("calls".to_owned(), calls),
    ])
}

fn echo() -> Verdict {
    let memory = MEMORY.lock().unwrap();
    let configured = memory.configured.to_string();
    allow(vec![
        ("settings".to_owned(), memory.settings.clone()),
        ("configured".to_owned(), configured),
    ])
}

/// The memory layout of a verdict, for verdicts that Rust would not produce.
#[repr(C)]
struct Raw {
    decision: u32,
    code: (u32, u32),
    message: (u32, u32),
    annotations: (u32, u32),
}

/// A malformed verdict in memory.
fn raw(attack: &str) -> Option<u32> {
    const ALLOW: Raw = Raw {
        decision: 0,
        code: (0, 0),
        message: (0, 0),
        annotations: (0, 0),
    };
    let verdict = match attack {
        "raw-string-4gib" => Raw {
            decision: 1,
            code: (0, u32::MAX),
            ..ALLOW
        },
        "raw-string-outside" => Raw {
            decision: 1,
            code: (0xffff_0000, 64),
            ..ALLOW
        },
        "raw-utf8" => Raw {
            decision: 1,
            code: at(&[0xff, 0xfe, 0x80]),
            ..ALLOW
        },
        "raw-list-outside" => Raw {
            annotations: (0xffff_fff0, 1000),
            ..ALLOW
        },
        "raw-list-unaligned" => Raw {
            annotations: (1_000_003, 2),
            ..ALLOW
        },
        "raw-list-10-million" => Raw {
            annotations: (0, 10_000_000),
            ..ALLOW
        },
        // As many as fit into memory: 3 million pairs of empty texts.
        "raw-list-full" => Raw {
            annotations: (vec![0_u32; 12_000_000].leak().as_ptr() as u32, 3_000_000),
            ..ALLOW
        },
        "raw-list-same" => Raw {
            annotations: amplified(),
            ..ALLOW
        },
        "raw-decision" => Raw {
            decision: 77,
            ..ALLOW
        },
        "raw-verdict-outside" => return Some(0xffff_fff0),
        _ => return None,
    };
    Some(Box::leak(Box::new(black_box(verdict))) as *const Raw as u32)
}

fn at(bytes: &[u8]) -> (u32, u32) {
    let leaked = bytes.to_vec().leak();
    (leaked.as_ptr() as u32, leaked.len() as u32)
}

/// A list with half a million references to one text of a mebibyte: small in the guest, half a tebibyte if the host copies it.
fn amplified() -> (u32, u32) {
    let text = at(&vec![b'x'; 1 << 20]);
    let list = vec![text; 1_000_000].leak();
    (list.as_ptr() as u32, 500_000)
}

#[unsafe(export_name = "checkpoint-gateway:policy/settings@0.1.0#schema")]
extern "C" fn export_schema() -> *mut u8 {
    unsafe { contract::_export_schema_cabi::<Hostile>() }
}

#[unsafe(export_name = "cabi_post_checkpoint-gateway:policy/settings@0.1.0#schema")]
extern "C" fn export_schema_post(answer: *mut u8) {
    unsafe { contract::__post_return_schema::<Hostile>(answer) }
}

#[unsafe(export_name = "checkpoint-gateway:policy/settings@0.1.0#configure")]
extern "C" fn export_configure(text: *mut u8, len: usize) -> *mut u8 {
    unsafe { contract::_export_configure_cabi::<Hostile>(text, len) }
}

#[unsafe(export_name = "cabi_post_checkpoint-gateway:policy/settings@0.1.0#configure")]
extern "C" fn export_configure_post(answer: *mut u8) {
    unsafe { contract::__post_return_configure::<Hostile>(answer) }
}

#[unsafe(export_name = "checkpoint-gateway:policy/authorization@0.1.0#authorize")]
extern "C" fn export_authorize(request: *mut u8) -> *mut u8 {
    match raw(&settings::attack()) {
        Some(answer) => answer as *mut u8,
        None => unsafe { authorization::_export_authorize_cabi::<Hostile>(request) },
    }
}

#[unsafe(export_name = "cabi_post_checkpoint-gateway:policy/authorization@0.1.0#authorize")]
extern "C" fn export_authorize_post(answer: *mut u8) {
    unsafe { authorization::__post_return_authorize::<Hostile>(answer) }
}
