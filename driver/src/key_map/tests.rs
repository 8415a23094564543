use sansocket_core::SocketKey;
use slotmap::SlotMap;

use super::KeyMap;

#[test]
fn a_reused_index_does_not_displace_its_former_owner() {
    let mut keys = SlotMap::<SocketKey, ()>::with_key();
    let former = keys.insert(());
    keys.remove(former);
    let latter = keys.insert(());
    let mut map = KeyMap::default();
    map.insert(former, "former");
    map.insert(latter, "latter");
    assert_eq!((map.get(&former), map.get(&latter)), (Some(&"former"), Some(&"latter")));
}
