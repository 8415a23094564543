//! One room, or several.

use std::sync::Arc;

use sansocket_core::SocketId;

/// What names rooms: a text, a socket's id, or an array, slice or vector of texts.
///
/// A socket's id is the name of a room that the socket alone is in.
pub trait Rooms {
    /// Calls `visit` with each name.
    fn visit(self, visit: &mut dyn FnMut(&str));
}

macro_rules! one {
    ($($type:ty),*) => {$(
        impl Rooms for $type {
            fn visit(self, visit: &mut dyn FnMut(&str)) {
                visit(&self);
            }
        }
    )*};
}

one!(&str, String, &String, Arc<str>, &Arc<str>);

impl Rooms for SocketId {
    fn visit(self, visit: &mut dyn FnMut(&str)) {
        visit(self.as_str());
    }
}

impl<T: AsRef<str>> Rooms for &[T] {
    fn visit(self, visit: &mut dyn FnMut(&str)) {
        self.iter().for_each(|room| visit(room.as_ref()));
    }
}

impl<T: AsRef<str>> Rooms for Vec<T> {
    fn visit(self, visit: &mut dyn FnMut(&str)) {
        self.as_slice().visit(visit);
    }
}

impl<T: AsRef<str>> Rooms for &Vec<T> {
    fn visit(self, visit: &mut dyn FnMut(&str)) {
        self.as_slice().visit(visit);
    }
}

impl<T: AsRef<str>, const N: usize> Rooms for [T; N] {
    fn visit(self, visit: &mut dyn FnMut(&str)) {
        self.as_slice().visit(visit);
    }
}

impl<T: AsRef<str>, const N: usize> Rooms for &[T; N] {
    fn visit(self, visit: &mut dyn FnMut(&str)) {
        self.as_slice().visit(visit);
    }
}
