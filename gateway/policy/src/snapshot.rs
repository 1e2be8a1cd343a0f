//! `configure` runs once: the state after it becomes the state that every instance begins with.

use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use wasmtime::Store;
use wasmtime::component::{ComponentNamedList, Instance, Lift, WasmList};
use wasmtime_wizer::{ComponentInstanceState, Wizer};

use crate::contract::authorizer::Authorizer;
use crate::contract::redactor::Redactor;
use crate::fault::told;
use crate::limits::Guest;
use crate::module::{compile, linker};
use crate::run::{self, Deadline};
use crate::wasi::{Moment, Wasi};
use crate::{Engine, Fault, Kind, Limits};

/// The component whose instances begin as an instance of `bytes` is after it took `settings`.
pub(crate) fn configured(
    engine: &Engine,
    bytes: &[u8],
    kind: Kind,
    settings: &str,
    limits: Limits,
    wasi: Wasi,
) -> Result<Vec<u8>, Fault> {
    let invalid = |error: wasmtime::Error| Fault::Invalid(told(format!("{error:#}")));
    let wizer = Wizer::new();
    let (context, instrumented) =
        unless_it_panics(|| wizer.instrument_component(bytes)).map_err(invalid)?;
    let component = compile(engine, &instrumented)?;
    let linker = linker(engine, &component, wasi)?;
    let deadline = Deadline::after(limits.configure_milliseconds);
    let _place = engine
        .enter(deadline.until)
        .ok_or_else(|| deadline.fault())?;
    let mut store = run::store(engine, limits, Moment::of_configuration(), &deadline);
    let instance = linker.instantiate(&mut store, &component);
    let instance = run::judged(instance, &store, &deadline)?;
    let policy =
        Policy::of(&mut store, &instance, kind).map_err(|error| Fault::World(told(error)))?;
    let taken = policy.configure(&mut store, settings);
    run::judged(taken, &store, &deadline)?.map_err(|refusal| Fault::Settings(told(refusal)))?;
    let mut state = State {
        store: &mut store,
        instance,
        failure: None,
    };
    // Reading what is there takes as long as it takes, and is bounded by the policy's memory.
    state.store.set_epoch_deadline(u64::MAX >> 1);
    state.store.set_hostcall_fuel(usize::MAX);
    let snapshot = unless_it_panics(|| ready(wizer.snapshot_component(&context, &mut state)));
    match state.failure {
        Some(error) => Err(invalid(error)),
        None => snapshot.map_err(invalid),
    }
}

/// wizer meets what it does not know, and a state that could not be read, with a panic; here that is one policy's fault.
fn unless_it_panics<T>(what: impl FnOnce() -> wasmtime::Result<T>) -> wasmtime::Result<T> {
    let unknown = || wasmtime::Error::msg("it has a state of which no snapshot can be taken");
    // Nothing that was half done outlives the panic: the instance and the context are dropped with the failure.
    catch_unwind(AssertUnwindSafe(what)).unwrap_or_else(|_| Err(unknown()))
}

/// An instance of which all functions have the types that the contract gives them.
enum Policy {
    Authorizer(Authorizer),
    Redactor(Redactor),
}

impl Policy {
    fn of(store: &mut Store<Guest>, instance: &Instance, kind: Kind) -> wasmtime::Result<Self> {
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

/// Nothing in here waits, so one poll is enough.
fn ready<T>(future: impl Future<Output = wasmtime::Result<T>>) -> wasmtime::Result<T> {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(result) => result,
        Poll::Pending => Err(wasmtime::Error::msg("its state cannot be read")),
    }
}

/// The instance, for whoever reads its globals and memories. The first failure is kept, since there is no way to hand it on.
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
        keep: impl FnOnce(&mut Store<Guest>, R) -> wasmtime::Result<T>,
    ) -> Option<T>
    where
        (R,): ComponentNamedList,
    {
        let result = self
            .call(instance, function)
            .and_then(|value| keep(self.store, value));
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
        // Called in any case, since the rewriter counts on it; where nothing could be read, the failure is kept.
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
