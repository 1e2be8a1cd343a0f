//! The hostile redactor.

use crate::{attacks, settings};

wit_bindgen::generate!({ path: "../../../../wit/v0.1.0", world: "redactor" });

use exports::checkpoint_gateway::policy::redaction::{
    DropRule, Guest, MaskRule, Pattern, Places, Plan, Request,
};
use exports::checkpoint_gateway::policy::settings as contract;

struct Hostile;

export!(Hostile);

impl contract::Guest for Hostile {
    fn schema() -> String {
        settings::schema()
    }

    fn configure(text: String) -> Result<(), String> {
        settings::configure(text)
    }
}

impl Guest for Hostile {
    fn redact(_: Request) -> Result<Plan, String> {
        Ok(match settings::attack().as_str() {
            "loop" => attacks::spin(),
            "memory" => attacks::hoard(),
            "panic" => attacks::panic(),
            "refuse" => return Err("I will not".to_owned()),
            "refuse-huge" => return Err("x".repeat(8 << 20)),
            "regex-bad" => mask(Pattern::Regex("(".to_owned())),
            "regex-look-around" => mask(Pattern::Regex("a(?=b)".to_owned())),
            "regex-huge" => mask(Pattern::Regex(
                "(?:(?:[a-z]{1,1000}){1,1000}){1,1000}".to_owned(),
            )),
            "regex-long" => mask(Pattern::Regex("x".repeat(4097))),
            "regex-nested" => mask(Pattern::Regex(format!(
                "{}a{}",
                "(".repeat(2000),
                ")".repeat(2000)
            ))),
            "regex-empty" => mask(Pattern::Regex("(?:a*)*".to_owned())),
            // Exponential in engines that backtrack; the gateway's does not.
            "regex-catastrophic" => mask(Pattern::Regex(r"(?:x+x+)+y".to_owned())),
            // Each is within its bounds; together they take a minute to compile.
            "regex-many" => many_expressions(),
            "glob-bomb" => mask(Pattern::EnvValue("*a".repeat(100))),
            "glob-long" => mask(Pattern::EnvValue("A".repeat(257))),
            "literal-empty" => mask(Pattern::Literal(Vec::new())),
            "literal-huge" => mask(Pattern::Literal(vec![b'x'; 8 << 20])),
            "detector-unknown" => mask(Pattern::Detector("mind-reader".to_owned())),
            "places-none" => places_none(),
            "rules-1025" => Plan {
                hide: vec!["reason".to_owned(); 1025],
                ..plan()
            },
            "rules-million" => rules_million(),
            "drop-control" => Plan {
                drop: vec![drop_rule("d", "a\0b")],
                ..plan()
            },
            "hide-unknown" => Plan {
                hide: vec!["id".to_owned()],
                ..plan()
            },
            "name-control" => Plan {
                drop: vec![drop_rule("a\nb", "container.log")],
                ..plan()
            },
            _ => mask(Pattern::EnvValue("*_TOKEN".to_owned())),
        })
    }
}

fn plan() -> Plan {
    Plan {
        mask: Vec::new(),
        drop: Vec::new(),
        hide: Vec::new(),
    }
}

fn mask(pattern: Pattern) -> Plan {
    Plan {
        mask: vec![rule(pattern)],
        ..plan()
    }
}

fn rule(pattern: Pattern) -> MaskRule {
    MaskRule {
        name: "rule".to_owned(),
        pattern,
        places: Places::all(),
    }
}

fn places_none() -> Plan {
    let rule = MaskRule {
        places: Places::empty(),
        ..rule(Pattern::Literal(vec![1]))
    };
    Plan {
        mask: vec![rule],
        ..plan()
    }
}

fn many_expressions() -> Plan {
    let expression = |n: usize| rule(Pattern::Regex(format!(r"{n}\w{{15}}")));
    Plan {
        mask: (0..1000).map(expression).collect(),
        ..plan()
    }
}

fn rules_million() -> Plan {
    let empty = || DropRule {
        name: String::new(),
        entry: String::new(),
    };
    Plan {
        drop: (0..1_000_000).map(|_| empty()).collect(),
        ..plan()
    }
}

fn drop_rule(name: &str, entry: &str) -> DropRule {
    DropRule {
        name: name.to_owned(),
        entry: entry.to_owned(),
    }
}
