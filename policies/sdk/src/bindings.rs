//! What the contract in `wit/` becomes in Rust.
//!
//! The contract's worlds share the interface `settings`, and one crate cannot generate it twice. So each interface has a
//! small world of its own here, and a policy exports two of them: together they are `authorizer` or `redactor`.
#![expect(missing_docs, clippy::pedantic, reason = "generated from wit/, where the meaning is told")]

/// What both kinds export, and the words that all policies share.
pub mod settings {
    wit_bindgen::generate!({
        inline: "
            package checkpoint-gateway:sdk;
            world both-kinds {
                import checkpoint-gateway:policy/types@0.1.0;
                import checkpoint-gateway:policy/logging@0.1.0;
                export checkpoint-gateway:policy/settings@0.1.0;
            }
        ",
        path: "../../wit/v0.1.0",
        runtime_path: "::checkpoint_gateway_policy::__private::wit_bindgen::rt",
        default_bindings_module: "::checkpoint_gateway_policy::bindings::settings",
        generate_all,
        pub_export_macro: true,
        generate_unused_types: true,
        additional_derives: [PartialEq],
    });
}

/// What policies export that decide.
pub mod authorization {
    wit_bindgen::generate!({
        inline: "
            package checkpoint-gateway:sdk;
            world authorizes {
                export checkpoint-gateway:policy/authorization@0.1.0;
            }
        ",
        path: "../../wit/v0.1.0",
        runtime_path: "::checkpoint_gateway_policy::__private::wit_bindgen::rt",
        default_bindings_module: "::checkpoint_gateway_policy::bindings::authorization",
        generate_all,
        pub_export_macro: true,
        additional_derives: [PartialEq],
        with: {
            "checkpoint-gateway:policy/types@0.1.0": crate::bindings::settings::checkpoint_gateway::policy::types,
        },
    });
}

/// What policies export that hide.
pub mod redaction {
    wit_bindgen::generate!({
        inline: "
            package checkpoint-gateway:sdk;
            world redacts {
                export checkpoint-gateway:policy/redaction@0.1.0;
            }
        ",
        path: "../../wit/v0.1.0",
        runtime_path: "::checkpoint_gateway_policy::__private::wit_bindgen::rt",
        default_bindings_module: "::checkpoint_gateway_policy::bindings::redaction",
        generate_all,
        pub_export_macro: true,
        additional_derives: [PartialEq],
        with: {
            "checkpoint-gateway:policy/types@0.1.0": crate::bindings::settings::checkpoint_gateway::policy::types,
        },
    });
}
