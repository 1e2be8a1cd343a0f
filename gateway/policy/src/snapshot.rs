//! Runs `configure` once and takes a snapshot of the state after it, with which every instance starts.

use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use wasmtime::Store;
use wasmtime::component::{ComponentNamedList, Instance, Lift, WasmList};
use wasmtime_wizer::{ComponentInstanceState, Wizer};

use crate::component::{compile, linker};
use crate::context::CallContext;
use crate::contract::authorizer::Authorizer;
use crate::contract::redactor::Redactor;
use crate::engine::Engine;
use crate::fault::{Fault, bounded};
use crate::guest::Guest;
use crate::kind::Kind;
use crate::limits::Limits;
use crate::run::{self, Deadline};
use crate::wasi::Wasi;

/// A component whose instances start in the state that an instance of `bytes` has after it accepted `settings`.
pub(crate) fn configured(
    engine: &Engine,
    bytes: &[u8],
    kind: Kind,
    settings: &str,
    limits: Limits,
    wasi: Wasi,
) -> Result<Vec<u8>, Fault> {
    let invalid = |error: wasmtime::Error| Fault::Invalid(bounded(format!("{error:#}")));
    let wizer = Wizer::new();
    let (context, instrumented) =
        catching_panics(|| wizer.instrument_component(bytes)).map_err(invalid)?;
    let component = compile(engine, &instrumented)?;
    let linker = linker(engine, &component, wasi)?;
    let deadline = Deadline::after(limits.configure_milliseconds);
    let _slot = engine
        .enter(deadline.until)
        .ok_or_else(|| deadline.fault())?;
    let mut store = run::store(engine, limits, CallContext::of_configuration(), &deadline);
    let instance = linker.instantiate(&mut store, &component);
    let instance = run::checked(instance, &store, &deadline)?;
    let policy = TypedInstance::new(&mut store, &instance, kind)
        .map_err(|error| Fault::World(bounded(error)))?;
    let accepted = policy.configure(&mut store, settings);
    run::checked(accepted, &store, &deadline)?
        .map_err(|refusal| Fault::Settings(bounded(refusal)))?;
    let mut state = State {
        store: &mut store,
        instance,
        failure: None,
    };
    // The time to read the state is bounded by the policy's memory, not by the deadline.
    state.store.set_epoch_deadline(u64::MAX >> 1);
    state.store.set_hostcall_fuel(usize::MAX);
    let snapshot = catching_panics(|| poll_once(wizer.snapshot_component(&context, &mut state)));
    match state.failure {
        Some(error) => Err(invalid(error)),
        None => snapshot.map_err(invalid),
    }
}

/// Turns a panic into an error. wizer panics on components that it does not support and on unreadable state; that must only
/// be a fault of this policy.
fn catching_panics<T>(action: impl FnOnce() -> wasmtime::Result<T>) -> wasmtime::Result<T> {
    let unsupported = || wasmtime::Error::msg("no snapshot of its state can be taken");
    // Unwind-safe: the instance and the context are dropped after the panic.
    catch_unwind(AssertUnwindSafe(action)).unwrap_or_else(|_| Err(unsupported()))
}

/// A typed instance: all its functions have the contract's types.
enum TypedInstance {
    Authorizer(Authorizer),
    Redactor(Redactor),
}

impl TypedInstance {
    fn new(store: &mut Store<Guest>, instance: &Instance, kind: Kind) -> wasmtime::Result<Self> {
        Ok(match kind {
            Kind::Authorizer => Self::Authorizer(Authorizer::new(store, instance)?),
            Kind::Redactor => Self::Redactor(Redactor::new(store, instance)?),
        })
    }

    fn configure(
        &self,
        store: &mut Store<Guest>,
        settings: &str,
    ) -> wasmtime::Result<Result<(), String>> {
        match self {
            Self::Authorizer(policy) => policy
                .checkpoint_gateway_policy_settings()
                .call_configure(store, settings),
            Self::Redactor(policy) => policy
                .checkpoint_gateway_policy_settings()
                .call_configure(store, settings),
        }
    }
}

/// The result of a future that never waits.
fn poll_once<T>(future: impl Future<Output = wasmtime::Result<T>>) -> wasmtime::Result<T> {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(result) => result,
        Poll::Pending => Err(wasmtime::Error::msg("the state cannot be read")),
    }
}

/// Gives wizer access to the globals and memories of an instance. The trait cannot return errors, so the first one is kept.
struct State<'a> {
    store: &'a mut Store<Guest>,
    instance: Instance,
    failure: Option<wasmtime::Error>,
}

impl State<'_> {
    fn read<R: Lift + 'static, T>(
        &mut self,
        instance: &str,
        function: &str,
        convert: impl FnOnce(&mut Store<Guest>, R) -> wasmtime::Result<T>,
    ) -> Option<T>
    where
        (R,): ComponentNamedList,
    {
        let result = self
            .call(instance, function)
            .and_then(|value| convert(self.store, value));
        result
            .map_err(|error| self.failure.get_or_insert(error).to_string())
            .ok()
    }

    fn call<R: Lift + 'static>(&mut self, instance: &str, function: &str) -> wasmtime::Result<R>
    where
        (R,): ComponentNamedList,
    {
        let missing = || wasmtime::Error::msg("the instrumented component lacks an export");
        let outer = self
            .instance
            .get_export_index(&mut *self.store, None, instance)
            .ok_or_else(missing)?;
        let inner = self
            .instance
            .get_export_index(&mut *self.store, Some(&outer), function)
            .ok_or_else(missing)?;
        let function = self
            .instance
            .get_typed_func::<(), (R,)>(&mut *self.store, inner)?;
        Ok(function.call(&mut *self.store, ())?.0)
    }
}

impl ComponentInstanceState for State<'_> {
    async fn call_func_ret_list_u8(
        &mut self,
        instance: &str,
        func: &str,
        contents: impl FnOnce(&[u8]) + Send,
    ) {
        let list = self.read(instance, func, |_, list: WasmList<u8>| Ok(list));
        // The caller requires this call; if nothing could be read, `failure` says so.
        contents(
            list.as_ref()
                .map(|list| list.as_le_slice(&*self.store))
                .unwrap_or_default(),
        );
    }

    async fn call_func_ret_s32(&mut self, instance: &str, func: &str) -> i32 {
        self.read(instance, func, |_, value| Ok(value))
            .unwrap_or_default()
    }

    async fn call_func_ret_s64(&mut self, instance: &str, func: &str) -> i64 {
        self.read(instance, func, |_, value| Ok(value))
            .unwrap_or_default()
    }

    async fn call_func_ret_f32(&mut self, instance: &str, func: &str) -> u32 {
        self.read(instance, func, |_, value: f32| Ok(value.to_bits()))
            .unwrap_or_default()
    }

    async fn call_func_ret_f64(&mut self, instance: &str, func: &str) -> u64 {
        self.read(instance, func, |_, value: f64| Ok(value.to_bits()))
            .unwrap_or_default()
    }
}
