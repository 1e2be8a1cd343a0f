//! A policy that uses WASI through its standard library and reports the results in its annotations.

use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::io::Read;
use std::net::TcpStream;
use std::sync::Mutex;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

wit_bindgen::generate!({ path: "../../../../wit/v0.1.0", world: "authorizer" });

use exports::checkpoint_gateway::policy::authorization::{Decision, Guest, Request, Verdict};
use exports::checkpoint_gateway::policy::settings;

static SETTINGS: Mutex<String> = Mutex::new(String::new());

struct Wasi;

impl settings::Guest for Wasi {
    fn schema() -> String {
        r#"{"type":"object"}"#.to_owned()
    }

    fn configure(text: String) -> Result<(), String> {
        if text.contains("print") {
            println!("configured");
        }
        *SETTINGS.lock().unwrap() = text;
        Ok(())
    }
}

impl Guest for Wasi {
    fn authorize(_: Request) -> Verdict {
        let settings = SETTINGS.lock().unwrap().clone();
        let found = if settings.contains("sleep") {
            std::thread::sleep(Duration::from_secs(3600));
            Vec::new()
        } else if settings.contains("connect") {
            vec![(
                "connected",
                TcpStream::connect("127.0.0.1:1").is_ok().to_string(),
            )]
        } else if settings.contains("exit") {
            std::process::exit(0)
        } else {
            println!("a line on standard output");
            eprintln!("a line on standard error");
            probe()
        };
        let annotations = found
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value))
            .collect();
        Verdict {
            decision: Decision::Allow,
            annotations,
        }
    }
}

fn probe() -> Vec<(&'static str, String)> {
    let started = Instant::now();
    let mut input = Vec::new();
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    vec![
        ("environment", std::env::vars().count().to_string()),
        ("arguments", std::env::args().count().to_string()),
        (
            "input",
            std::io::stdin()
                .read_to_end(&mut input)
                .map_or(0, |read| read)
                .to_string(),
        ),
        ("root", std::fs::read_dir("/").is_ok().to_string()),
        ("passwd", std::fs::read("/etc/passwd").is_ok().to_string()),
        ("written", std::fs::write("/tmp/x", "x").is_ok().to_string()),
        ("now", now.as_millis().to_string()),
        ("elapsed", started.elapsed().as_nanos().to_string()),
        ("random", RandomState::new().hash_one(0).to_string()),
    ]
}

export!(Wasi);
