//! The macros that export a policy as a component.

/// Exports an authorizer: `export_authorizer!(MyPolicy);`, once per crate, with a type that implements
/// [`Authorizer`](crate::Authorizer). `cargo test` then runs the crate's fixtures.
#[macro_export]
macro_rules! export_authorizer {
    ($policy:ty) => {
        #[doc(hidden)]
        mod component {
            #[expect(clippy::wildcard_imports, unused_imports, reason = "the policy's type may use any import of the crate")]
            use super::*;
            use $crate::bindings::authorization::exports::checkpoint_gateway::policy::authorization;

            static POLICY: $crate::__private::Slot<$policy> = $crate::__private::Slot::empty();

            struct Component;

            $crate::__settings!($crate::Authorizer, $policy);

            impl authorization::Guest for Component {
                fn authorize(request: $crate::Request) -> $crate::Verdict {
                    POLICY
                        .call(|policy| $crate::Authorizer::authorize(policy, &request))
                        .unwrap_or_else(|| $crate::Verdict::deny("not-configured", "the policy is not configured"))
                }
            }

            $crate::bindings::authorization::export!(Component with_types_in $crate::bindings::authorization);
        }

        #[cfg(test)]
        #[test]
        fn fixtures_pass() {
            $crate::fixtures::check(
                concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures"),
                <$policy as $crate::Authorizer>::SCHEMA,
                <$policy as $crate::Authorizer>::configure,
                |policy, request| Ok($crate::Authorizer::authorize(policy, request)),
            );
        }
    };
}

/// Exports a redactor: `export_redactor!(MyPolicy);`, once per crate, with a type that implements
/// [`Redactor`](crate::Redactor). `cargo test` then runs the crate's fixtures.
#[macro_export]
macro_rules! export_redactor {
    ($policy:ty) => {
        #[doc(hidden)]
        mod component {
            #[expect(clippy::wildcard_imports, unused_imports, reason = "the policy's type may use any import of the crate")]
            use super::*;
            use $crate::bindings::redaction::exports::checkpoint_gateway::policy::redaction;

            static POLICY: $crate::__private::Slot<$policy> = $crate::__private::Slot::empty();

            struct Component;

            $crate::__settings!($crate::Redactor, $policy);

            impl redaction::Guest for Component {
                fn redact(request: $crate::Request) -> Result<$crate::Plan, String> {
                    POLICY
                        .call(|policy| $crate::Redactor::redact(policy, &request))
                        .unwrap_or_else(|| Err("the policy is not configured".to_owned()))
                }
            }

            $crate::bindings::redaction::export!(Component with_types_in $crate::bindings::redaction);
        }

        #[cfg(test)]
        #[test]
        fn fixtures_pass() {
            $crate::fixtures::check(
                concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures"),
                <$policy as $crate::Redactor>::SCHEMA,
                <$policy as $crate::Redactor>::configure,
                $crate::Redactor::redact,
            );
        }
    };
}

/// Exports the interface `settings`.
#[doc(hidden)]
#[macro_export]
macro_rules! __settings {
    ($kind:path, $policy:ty) => {
        impl $crate::bindings::settings::exports::checkpoint_gateway::policy::settings::Guest for Component {
            fn schema() -> String {
                <$policy as $kind>::SCHEMA.to_owned()
            }

            fn configure(settings: String) -> Result<(), String> {
                POLICY.set(<$policy as $kind>::configure($crate::__private::parse(&settings)?)?);
                Ok(())
            }
        }

        $crate::bindings::settings::export!(Component with_types_in $crate::bindings::settings);
    };
}
