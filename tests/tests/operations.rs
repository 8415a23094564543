//! What those who run a server want of it.

mod operations {
    mod catch_alls;
    mod metrics;
    mod rates;
    mod server_side;
    mod session_ids;
}
mod support;
