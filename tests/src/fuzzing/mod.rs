//! The bodies of the fuzz targets: what must hold for any bytes.
//!
//! A body panics where something does not hold, and depends on nothing but the bytes. The fuzzer in
//! `fuzz/` looks for bytes that make one panic; the test `corpus` gives each body what the fuzzer
//! has found worth keeping, on any toolchain.

pub mod arguments;
pub mod json;
pub mod manager;
pub mod packet;
pub mod parser;
pub mod request;
pub mod session;
pub mod websocket;

mod canary;

#[cfg(feature = "driver")]
use crate::simulation;
use crate::world;

/// Something that is fuzzed.
#[derive(Clone, Copy, Debug)]
pub struct Target {
    /// The name of its file in `fuzz/fuzz_targets` and of its folder in `fuzz/corpus`.
    pub name: &'static str,
    /// Panics if something does not hold for these bytes.
    pub body: fn(&[u8]),
}

/// All targets that must not fail.
pub const TARGETS: &[Target] = &[
    Target { name: "arguments", body: arguments::run },
    #[cfg(feature = "driver")]
    Target { name: "driver", body: driver },
    Target { name: "manager", body: manager::run },
    Target { name: "packet", body: packet::run },
    Target { name: "parser", body: parser::run },
    Target { name: "request", body: request::run },
    Target { name: "server", body: server },
    Target { name: "session", body: session::run },
    Target { name: "websocket", body: websocket::run },
];

/// The target that must fail: it shows that the fuzzer is able to find something.
pub const CANARY: Target = Target { name: "canary", body: canary::run };

/// The whole server, in a world that the bytes describe, against the reference model.
fn server(bytes: &[u8]) {
    if let Err(violation) = world::run_bytes(bytes, &world::Options::default()) {
        panic!("{violation:?}");
    }
}

/// The driver, on a simulated runtime and network that the bytes describe.
#[cfg(feature = "driver")]
fn driver(bytes: &[u8]) {
    simulation::simulate_driver(bytes);
}

/// Runs the target of that name.
///
/// # Panics
///
/// If there is none, or something does not hold.
pub fn run(name: &str, bytes: &[u8]) {
    let target = TARGETS.iter().chain([&CANARY]).find(|target| target.name == name);
    let Some(target) = target else { panic!("there is no target {name}") };
    (target.body)(bytes);
}

/// Takes the first byte off `bytes`: 0 if there is none, so that no input is too short.
fn take_byte(bytes: &mut &[u8]) -> u8 {
    let Some((first, rest)) = bytes.split_first() else { return 0 };
    *bytes = rest;
    *first
}

/// Takes up to `count` bytes off the front of `bytes`.
fn take<'a>(bytes: &mut &'a [u8], count: usize) -> &'a [u8] {
    let (taken, rest) = bytes.split_at(count.min(bytes.len()));
    *bytes = rest;
    taken
}
