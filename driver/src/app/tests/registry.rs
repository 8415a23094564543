use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use sansocket_core::NamespaceKey;

use super::io;
use crate::app::dynamic::Parent;

const ROUNDS: usize = 2_000;

/// Two threads ask for one namespace at a time, be it for a client or for the application.
#[test]
fn a_namespace_is_made_once_whoever_asks_at_the_same_time() {
    for is_for_client in [[true, true], [true, false], [false, false]] {
        let (io, parent) = (io(), Arc::new(Parent::by_name(|_| true)));
        let (namespaces, shards) = (&io.inner.app.namespaces, &io.inner.shards);
        let arrived = AtomicUsize::new(0);
        let ask = |is_for_client: bool| -> Vec<NamespaceKey> {
            let rounds = 0..ROUNDS;
            let found = rounds.map(|round| {
                let name = format!("/{round}");
                arrived.fetch_add(1, Ordering::SeqCst);
                while arrived.load(Ordering::SeqCst) < 2 * (round + 1) {
                    thread::yield_now();
                }
                let namespace = if is_for_client {
                    namespaces.get_or_make(shards, &name, &parent)
                } else {
                    namespaces.get_or_create(shards, &name)
                };
                namespace.unwrap().key
            });
            found.collect()
        };
        let keys = thread::scope(|scope| {
            let asking = is_for_client.map(|it| scope.spawn(move || ask(it)));
            asking.map(|thread| thread.join().unwrap())
        });
        assert!(keys[0] == keys[1], "{is_for_client:?}");
    }
}
