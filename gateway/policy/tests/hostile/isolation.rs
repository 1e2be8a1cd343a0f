//! Tests that no state leaks from one request to the next.

use crate::world::{among_others, annotation, authorizer, engine, load, request};

#[test]
fn stored_state_is_gone_in_the_next_call() {
    let _process = among_others();
    let policies = load(&engine(), vec![authorizer("remember")]);
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let policies = &policies;
            scope.spawn(move || {
                for n in 0..50 {
                    let verdicts = policies.authorize(&request(&format!("user-{thread}-{n}")));
                    assert_eq!(annotation(&verdicts, "before"), "");
                    assert_eq!(annotation(&verdicts, "calls"), "1");
                }
            });
        }
    });
}

#[test]
fn two_policies_of_one_module_are_isolated() {
    let _process = among_others();
    let mut twin = authorizer("echo");
    twin.name = "twin".into();
    twin.settings.insert("twin".into(), true.into());
    let policies = load(&engine(), vec![authorizer("echo"), twin]);
    let verdicts = policies.authorize(&request("alice"));
    assert_eq!(verdicts[0].annotations["settings"], r#"{"do":"echo"}"#);
    assert_eq!(
        verdicts[1].annotations["settings"],
        r#"{"do":"echo","twin":true}"#
    );
}

#[test]
fn configures_a_policy_once_for_all_requests() {
    let _process = among_others();
    let policies = load(&engine(), vec![authorizer("echo")]);
    for _ in 0..3 {
        let verdicts = policies.authorize(&request("alice"));
        assert_eq!(annotation(&verdicts, "settings"), r#"{"do":"echo"}"#);
        assert_eq!(annotation(&verdicts, "configured"), "1");
    }
}
