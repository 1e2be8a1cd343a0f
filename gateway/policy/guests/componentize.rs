//! Turns a core module with wit-bindgen's metadata into a component: `componentize CORE COMPONENT`.

use std::env::args_os;
use std::error::Error;
use std::fs;

use wit_component::ComponentEncoder;

fn main() -> Result<(), Box<dyn Error>> {
    let mut paths = args_os().skip(1);
    let (Some(core), Some(component)) = (paths.next(), paths.next()) else {
        return Err("usage: componentize CORE COMPONENT".into());
    };
    let module = fs::read(core)?;
    fs::write(
        component,
        ComponentEncoder::default()
            .validate(true)
            .module(&module)?
            .encode()?,
    )?;
    Ok(())
}
