//! Links `sansocket-core` without the standard library; see this package's manifest.
#![no_std]

use core::alloc::{GlobalAlloc, Layout};
use core::panic::PanicInfo;
use core::ptr;

// The crate must be named here: one that is only listed in the manifest is not loaded, and then
// nothing would be checked.
#[cfg(feature = "canary")]
pub use canary;
pub use sansocket_core;

/// Clashes with the handler of `std`, wherever `std` is linked.
#[panic_handler]
fn panic(_: &PanicInfo<'_>) -> ! {
    loop {}
}

/// `alloc` needs an allocator to link. This program is never run, so it may have no memory.
struct NoMemory;

#[global_allocator]
static ALLOCATOR: NoMemory = NoMemory;

// SAFETY: a null pointer is the answer of an allocator that has no memory left, and nothing is
// ever given back to one that gave nothing.
unsafe impl GlobalAlloc for NoMemory {
    unsafe fn alloc(&self, _: Layout) -> *mut u8 {
        ptr::null_mut()
    }

    unsafe fn dealloc(&self, _: *mut u8, _: Layout) {}
}
