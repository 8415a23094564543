use alloc::collections::BTreeSet;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use proptest::prelude::*;
use slotmap::SlotMap;

use super::*;

#[derive(Clone, Debug)]
enum Operation {
    Join { socket: usize, namespace: usize, room: usize },
    Leave { socket: usize, namespace: usize, room: usize },
    LeaveAll { socket: usize },
}

fn operation() -> impl Strategy<Value = Operation> {
    let place = (0..6usize, 0..2usize, 0..5usize);
    prop_oneof![
        3 => place.clone().prop_map(|(socket, namespace, room)| Operation::Join {
            socket,
            namespace,
            room
        }),
        2 => place.prop_map(|(socket, namespace, room)| Operation::Leave {
            socket,
            namespace,
            room
        }),
        1 => (0..6usize).prop_map(|socket| Operation::LeaveAll { socket }),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// Against a plain set of triples, with the two-way index checked after every step.
    #[test]
    fn agrees_with_a_set(operations in proptest::collection::vec(operation(), 0..200)) {
        let mut keys = SlotMap::<SocketKey, ()>::with_key();
        let mut namespaces = SlotMap::<NamespaceKey, ()>::with_key();
        let mut connections = SlotMap::<ConnectionKey, ()>::with_key();
        let connection = connections.insert(());
        let sockets: Vec<_> = (0..6).map(|_| keys.insert(())).collect();
        let namespaces: Vec<_> = (0..2).map(|_| namespaces.insert(())).collect();
        let mut registry = Registry::default();
        let mut model = BTreeSet::<(usize, usize, String)>::new();
        for operation in operations {
            match operation {
                Operation::Join { socket, namespace, room } => {
                    let name = format!("room {room}");
                    let member = Member { socket: sockets[socket], connection };
                    let joined = registry.join(namespaces[namespace], &name, member);
                    prop_assert_eq!(joined, model.insert((socket, namespace, name)));
                }
                Operation::Leave { socket, namespace, room } => {
                    let name = format!("room {room}");
                    let left = registry.leave(namespaces[namespace], &name, sockets[socket]);
                    prop_assert_eq!(left, model.remove(&(socket, namespace, name)));
                }
                Operation::LeaveAll { socket } => {
                    registry.leave_all(sockets[socket]);
                    model.retain(|entry| entry.0 != socket);
                }
            }
            registry.check();
            for (index, socket) in sockets.iter().enumerate() {
                let rooms = model.iter().filter(|entry| entry.0 == index).count();
                prop_assert_eq!(registry.rooms_of(*socket).count(), rooms);
            }
            for entry in &model {
                let members = registry.members(namespaces[entry.1], &entry.2);
                prop_assert!(members.iter().any(|member| member.socket == sockets[entry.0]));
            }
        }
    }
}
