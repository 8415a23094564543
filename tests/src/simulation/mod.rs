//! The driver under simulation: real tasks, hyper, and real bytes, but a clock, a scheduler and a
//! network that are one thread's choices.
//!
//! [`runtime`] runs tasks in any order and lets time pass only when nothing can run, [`network`]
//! is made of streams that are cut anywhere and fail in every way, [`application`] is a server on
//! the public API that checks what it is told, [`client`] speaks the protocols byte by byte and
//! checks what it gets, and [`scenario`] draws who does what. [`both`] puts the driver's own client in
//! the place of those. The same bytes are the same run.

pub mod application;
pub mod both;
pub mod client;
pub mod hostile;
pub mod network;
pub mod runtime;
pub mod scenario;
pub mod script;
pub mod shared;
pub mod stream;
pub mod trace;

pub use both::{BothEnds, BothOutcome, simulate_both};
pub use runtime::SimRuntime;
pub use scenario::{Interruption, Outcome, Scenario, simulate_driver};
