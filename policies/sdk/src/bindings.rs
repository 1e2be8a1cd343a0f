//! Bindings of the contract in `wit/`.
//!
//! The contract's worlds share the interface `settings`, and one crate cannot generate it twice. So each interface has a
//! world of its own here, and a policy exports two of them, which together are `authorizer` or `redactor`.
#![expect(
    missing_docs,
    clippy::pedantic,
    reason = "generated from wit/, which documents the types"
)]

/// The interface that both kinds of policies export, and the shared types.
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

/// The interface that authorizers export.
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

/// The interface that redactors export.
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
