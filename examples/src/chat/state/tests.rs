use super::*;
use crate::chat::limits::{HISTORY_MESSAGES_MAX, HISTORY_TEXT_BYTES_MAX};

const NOW: u64 = 1_700_000_000_000_000;

fn socket(number: usize) -> SocketId {
    SocketId::parse(&format!("{number:020}")).unwrap()
}

fn file(size: usize) -> File {
    File { name: "a.bin".to_owned(), content_type: String::new(), size }
}

/// A chat with socket 0 in each of `rooms`.
fn chat_with(rooms: &[&str]) -> Chat {
    let mut chat = Chat::default();
    for room in rooms {
        chat.enter(socket(0), room, "Ada", NOW).unwrap();
    }
    chat
}

fn say(chat: &mut Chat, room: &str, key: &str, text: &str, now: u64) -> u64 {
    match chat.say(socket(0), room, key.to_owned(), text.to_owned(), now).unwrap() {
        Posted::New(message) => message.id,
        Posted::Known(id) => panic!("{id} has this key"),
    }
}

fn share(chat: &mut Chat, room: &str, key: &str, size: usize) -> u64 {
    let data = Bytes::from(vec![7; size]);
    match chat.share(socket(0), room, key.to_owned(), file(size), data, NOW).unwrap() {
        Posted::New(message) => message.id,
        Posted::Known(id) => panic!("{id} has this key"),
    }
}

fn nicks(chat: &Chat, room: &str) -> Vec<String> {
    chat.members(room).iter().map(|user| user.nick.to_string()).collect()
}

#[test]
fn members_stand_in_order_of_entering() {
    let mut chat = chat_with(&["hall"]);
    chat.enter(socket(1), "hall", "Ben", NOW).unwrap();
    assert_eq!(chat.enter(socket(0), "hall", "Ada", NOW), Ok(vec!["hall".into()]));
    assert_eq!(nicks(&chat, "hall"), ["Ada", "Ben"]);
    assert!(chat.leave(socket(0), "hall"));
    assert!(!chat.leave(socket(0), "hall"));
    chat.enter(socket(0), "hall", "Ada", NOW).unwrap();
    assert_eq!(nicks(&chat, "hall"), ["Ben", "Ada"]);
}

#[test]
fn a_new_nick_is_seen_in_all_rooms_but_not_in_the_history() {
    let mut chat = chat_with(&["hall", "garden"]);
    say(&mut chat, "hall", "a", "hello", NOW);
    let changed = chat.enter(socket(0), "garden", "Countess", NOW);
    assert_eq!(changed, Ok(vec!["hall".into(), "garden".into()]));
    assert_eq!(nicks(&chat, "hall"), ["Countess"]);
    assert_eq!(&*chat.history("hall")[0].from.nick, "Ada");
}

#[test]
fn who_disconnects_is_in_no_room() {
    let mut chat = chat_with(&["hall", "garden"]);
    assert_eq!(chat.disconnect(socket(0)), ["hall".into(), "garden".into()]);
    assert_eq!(chat.disconnect(socket(0)), []);
    assert_eq!(nicks(&chat, "hall"), [""; 0]);
    assert!(chat.people.is_empty());
}

#[test]
fn only_members_say_share_fetch_and_type() {
    let mut chat = chat_with(&["hall"]);
    let id = share(&mut chat, "hall", "a", 3);
    let stranger = socket(1);
    let said = chat.say(stranger, "hall", "b".to_owned(), "hello".to_owned(), NOW);
    assert_eq!(said, Err(Refusal::NotInRoom));
    let shared = chat.share(stranger, "hall", "c".to_owned(), file(1), Bytes::new(), NOW);
    assert_eq!(shared, Err(Refusal::NotInRoom));
    assert_eq!(chat.fetch(stranger, "hall", id), Err(Refusal::NotInRoom));
    assert_eq!(chat.member(stranger, "hall"), None);
    assert_eq!(chat.fetch(socket(0), "nowhere", id), Err(Refusal::NotInRoom));
}

#[test]
fn ids_follow_the_clock_and_always_grow() {
    let mut chat = chat_with(&["hall", "garden"]);
    assert_eq!(say(&mut chat, "hall", "a", "1", NOW), NOW);
    assert_eq!(say(&mut chat, "garden", "b", "2", NOW), NOW + 1);
    assert_eq!(say(&mut chat, "hall", "c", "3", NOW - 1_000_000), NOW + 2);
    assert_eq!(say(&mut chat, "hall", "d", "4", NOW + 9), NOW + 9);
}

#[test]
fn a_key_is_stored_once_in_a_room() {
    let mut chat = chat_with(&["hall", "garden"]);
    let id = say(&mut chat, "hall", "a", "hello", NOW);
    let again = chat.say(socket(0), "hall", "a".to_owned(), "again".to_owned(), NOW + 5);
    assert_eq!(again, Ok(Posted::Known(id)));
    let data = Bytes::from_static(b"data");
    let shared = chat.share(socket(0), "hall", "a".to_owned(), file(4), data, NOW);
    assert_eq!(shared, Ok(Posted::Known(id)));
    assert_eq!(chat.history("hall").len(), 1);
    assert!(chat.files.is_empty());
    say(&mut chat, "garden", "a", "hello", NOW);
}

#[test]
fn the_history_is_limited_in_messages() {
    let mut chat = chat_with(&["hall"]);
    let shared = share(&mut chat, "hall", "file", 10);
    for number in 1..HISTORY_MESSAGES_MAX {
        say(&mut chat, "hall", &format!("k{number}"), "text", NOW);
    }
    assert_eq!(chat.history("hall").len(), HISTORY_MESSAGES_MAX);
    assert!(chat.fetch(socket(0), "hall", shared).is_ok());
    say(&mut chat, "hall", "one more", "text", NOW);
    assert_eq!(chat.history("hall").len(), HISTORY_MESSAGES_MAX);
    assert_eq!(chat.history("hall")[0].key, "k1");
    assert_eq!(chat.fetch(socket(0), "hall", shared), Err(Refusal::Gone));
    assert_eq!(chat.files_bytes, 0);
    // The key is forgotten with its message.
    say(&mut chat, "hall", "file", "text", NOW);
}

#[test]
fn the_history_is_limited_in_bytes_of_text() {
    let mut chat = chat_with(&["hall"]);
    let text = "\u{1f600}".repeat(4_000);
    let fit = HISTORY_TEXT_BYTES_MAX / text.len();
    for number in 0..fit {
        say(&mut chat, "hall", &format!("k{number}"), &text, NOW);
    }
    let rest = "x".repeat(HISTORY_TEXT_BYTES_MAX - fit * text.len());
    say(&mut chat, "hall", "rest", &rest, NOW);
    assert_eq!(chat.history("hall").len(), fit + 1);
    say(&mut chat, "hall", "one byte", "x", NOW);
    assert_eq!(chat.history("hall").len(), fit + 1);
    assert_eq!(chat.history("hall")[0].key, "k1");
}

#[test]
fn a_file_belongs_to_its_room() {
    let mut chat = chat_with(&["hall", "garden"]);
    let id = share(&mut chat, "hall", "a", 3);
    assert_eq!(chat.fetch(socket(0), "hall", id), Ok(Bytes::from_static(&[7; 3])));
    assert_eq!(chat.fetch(socket(0), "garden", id), Err(Refusal::Gone));
    let text = say(&mut chat, "hall", "b", "no file", NOW);
    assert_eq!(chat.fetch(socket(0), "hall", text), Err(Refusal::Gone));
}

#[test]
fn the_oldest_bytes_of_files_are_dropped_but_not_their_messages() {
    let mut chat = chat_with(&["hall", "garden"]);
    let size = FILES_BYTES_MAX / 10;
    let first = share(&mut chat, "hall", "first", size);
    let second = share(&mut chat, "garden", "second", size);
    for number in 2..10 {
        share(&mut chat, "hall", &format!("k{number}"), size);
    }
    assert!(chat.fetch(socket(0), "hall", first).is_ok());
    share(&mut chat, "garden", "one byte", 1);
    assert_eq!(chat.fetch(socket(0), "hall", first), Err(Refusal::Gone));
    assert!(chat.fetch(socket(0), "garden", second).is_ok());
    assert_eq!(chat.history("hall")[0].id, first);
    assert_eq!(chat.files_bytes, 9 * size + 1);
}

#[test]
fn a_socket_enters_no_more_than_its_rooms() {
    let mut chat = Chat::default();
    for number in 0..ROOMS_PER_SOCKET_MAX {
        chat.enter(socket(0), &number.to_string(), "Ada", NOW).unwrap();
    }
    assert_eq!(chat.enter(socket(0), "another", "Ada", NOW), Err(Refusal::TooManyRooms));
    assert!(!chat.rooms.contains_key("another"));
    assert!(chat.enter(socket(0), "0", "Ada", NOW).is_ok());
    chat.leave(socket(0), "0");
    assert!(chat.enter(socket(0), "another", "Ada", NOW).is_ok());
}

#[test]
fn a_room_has_no_more_than_its_sockets() {
    let mut chat = Chat::default();
    for number in 0..SOCKETS_PER_ROOM_MAX {
        chat.enter(socket(number), "hall", "Ada", NOW).unwrap();
    }
    let late = socket(SOCKETS_PER_ROOM_MAX);
    assert_eq!(chat.enter(late, "hall", "Ben", NOW), Err(Refusal::RoomFull));
    assert!(chat.people.len() == SOCKETS_PER_ROOM_MAX);
    assert!(chat.enter(socket(0), "hall", "Ada", NOW).is_ok());
    chat.disconnect(socket(0));
    assert!(chat.enter(late, "hall", "Ben", NOW).is_ok());
}

#[test]
fn the_quietest_empty_room_is_forgotten_for_a_new_one() {
    let mut chat = Chat::default();
    for number in 0..ROOMS_MAX {
        let (id, room) = (socket(number), number.to_string());
        chat.enter(id, &room, "Ada", NOW + number as u64).unwrap();
    }
    let late = socket(ROOMS_MAX);
    assert_eq!(chat.enter(late, "new", "Ben", NOW), Err(Refusal::ServerFull));
    assert_eq!(chat.rooms.len(), ROOMS_MAX);
    assert!(chat.people.len() == ROOMS_MAX);

    // Rooms 3, 4 and 5 become empty. 3 is the oldest, but somebody has spoken there since.
    let data = Bytes::from_static(b"data");
    let later = NOW + 1_000;
    chat.share(socket(3), "3", "a".to_owned(), file(4), data, later).unwrap();
    for number in 3..6 {
        chat.disconnect(socket(number));
    }
    for (new, forgotten) in [("new", "4"), ("newer", "5"), ("newest", "3")] {
        assert!(chat.rooms.contains_key(forgotten));
        chat.enter(late, new, "Ben", later).unwrap();
        assert!(!chat.rooms.contains_key(forgotten));
        assert_eq!(chat.rooms.len(), ROOMS_MAX);
    }
    assert!(chat.files.is_empty());
    assert_eq!(chat.files_bytes, 0);
}
