//! The driver on virtual time: random runs, and short ones that are cut off everywhere.

use std::time::Duration;

use proptest::collection::vec;
use proptest::prelude::{ProptestConfig, any, prop_assert, proptest};
use proptest::test_runner::FileFailurePersistence;
use sansocket_driver::{MessagePack, Transport};
use sansocket_tests::choices::{Choices, bytes_of};
use sansocket_tests::simulation::both::{Act, BothEnds, ClientPlan};
use sansocket_tests::simulation::client::Leave;
use sansocket_tests::simulation::hostile::{Hostility, Piece};
use sansocket_tests::simulation::network::{Plan, Weather};
use sansocket_tests::simulation::runtime::Habits;
use sansocket_tests::simulation::script::{Action, Script};
use sansocket_tests::simulation::stream::{Fate, Faults};
use sansocket_tests::simulation::{Interruption, Outcome, Scenario, simulate_driver};

proptest! {
    #![proptest_config(ProptestConfig {
        cases: if cfg!(debug_assertions) { 24 } else { 500 },
        max_shrink_iters: 300,
        failure_persistence: Some(Box::new(FileFailurePersistence::WithSource("regressions"))),
        ..ProptestConfig::default()
    })]

    #[test]
    fn the_same_choices_are_the_same_run(bytes in vec(any::<u8>(), 30..1_500)) {
        assert_eq!(simulate_driver(&bytes), simulate_driver(&bytes));
    }
}

#[track_caller]
fn run(scenario: Scenario) -> Outcome {
    let outcome = scenario.run();
    assert!(outcome.violations.is_empty(), "{:#?}", outcome.violations);
    outcome
}

/// A session with a bit of everything.
fn short(actions: &[Action], websocket: bool) -> Scenario {
    let script = Script {
        websocket,
        actions: actions.to_vec(),
        leave: Some(Leave::Politely),
        rounds: 1,
        ..Script::default()
    };
    Scenario { scripts: vec![script], ..Scenario::default() }
}

const UPGRADE: [Action; 7] = [
    Action::Up(2),
    Action::Echo,
    Action::Upgrade { breaks_off: false },
    Action::Up(2),
    Action::Ask,
    Action::Wait(10),
    Action::Sync,
];

const POLLING: [Action; 4] = [Action::Up(2), Action::Echo, Action::Ask, Action::Sync];

#[test]
fn a_quiet_session_lives_for_as_long_as_its_heart_beats() {
    for websocket in [false, true] {
        let hour = Action::Sleep(3_600_000);
        let outcome = run(short(&[Action::Up(1), hour, Action::Sync], websocket));
        assert!(outcome.elapsed >= Duration::from_secs(3_600));
        // Some 144 heartbeats, and nothing else that takes time.
        assert!(outcome.polls < 8_000, "{} polls", outcome.polls);
    }
}

#[test]
fn a_client_that_falls_silent_is_gone_after_its_ping_timeout() {
    for websocket in [false, true] {
        let mut scenario =
            short(&[Action::FallSilent, Action::Sleep(60_000), Action::Sync], websocket);
        scenario.heartbeat = (Duration::from_secs(5), Duration::from_secs(3));
        let outcome = run(scenario);
        assert!(outcome.elapsed < Duration::from_secs(200), "{:?}", outcome.elapsed);
    }
}

/// It is read from again by itself: nothing but the shard's timer could wake its task. Its heartbeat
/// is not counted against it meanwhile.
#[test]
fn a_client_that_sends_too_much_waits_and_goes_on() {
    for websocket in [false, true] {
        let mut scenario =
            short(&[Action::Up(100), Action::Sync, Action::Up(20), Action::Sync], websocket);
        scenario.heartbeat = (Duration::from_millis(300), Duration::from_millis(200));
        let unlimited = scenario.run();
        assert!(unlimited.elapsed < Duration::from_secs(2), "{:?}", unlimited.elapsed);
        let mut scenario =
            short(&[Action::Up(100), Action::Sync, Action::Up(20), Action::Sync], websocket);
        scenario.heartbeat = (Duration::from_millis(300), Duration::from_millis(200));
        scenario.rate = Some((10, 2));
        let limited = run(scenario);
        // What comes first may be read at once; what comes behind it waits for all of it.
        let expected = Duration::from_secs(9)..Duration::from_secs(16);
        assert!(expected.contains(&limited.elapsed), "{:?}", limited.elapsed);
    }
}

/// A WebSocket that broke the protocol is read on, if only to see its end.
#[test]
fn the_end_of_a_peer_that_broke_the_protocol_is_noticed() {
    let upgrade = "GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: a\r\n\
        Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
        Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
    let unmasked = Piece::Send(b"\x81\x01a".to_vec());
    // The server is about to close by then, because no ping was answered.
    let rest = Piece::Sleep(46_000);
    let pieces = vec![Piece::Send(upgrade.into()), rest, unmasked, Piece::Sleep(1_000)];
    let hostility = Hostility { pieces, reads: true, resets: false };
    let outcome = run(Scenario { hostile: vec![hostility], ..Scenario::default() });
    assert!(outcome.elapsed < Duration::from_secs(50), "{:?}", outcome.elapsed);
}

/// What a peer makes us do by compressed blocks in which there is nothing is done in portions, between
/// which others get their chance.
#[test]
fn blocks_without_content_do_not_keep_a_thread() {
    let upgrade = "GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: a\r\n\
        Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
        Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
        Sec-WebSocket-Extensions: permessage-deflate\r\n\r\n";
    // Four of them in five bytes, or as many bytes in a message that is not compressed.
    let blocks = [0x02, 0x08, 0x20, 0x80, 0x00].repeat(10_000);
    let polls = |first: u8| {
        let header = [first, 0xfe, 0xc3, 0x50, 0, 0, 0, 0];
        let frame = Piece::Send([&header[..], &blocks].concat());
        let pieces = vec![Piece::Send(upgrade.into()), frame, Piece::Sleep(10)];
        let hostility = Hostility { pieces, reads: true, resets: false };
        let compression = Some(false);
        run(Scenario { hostile: vec![hostility], compression, ..Scenario::default() }).polls
    };
    let (plain, compressed) = (polls(0x02), polls(0x42));
    assert!(compressed > plain + 20, "{compressed} and {plain}");
}

/// Whatever is cut off, at whichever byte, leaves nothing behind and breaks no promise.
#[test]
fn a_stream_may_end_at_every_byte() {
    for (actions, websocket) in [(&UPGRADE[..], false), (&POLLING[..], false), (&UPGRADE[..], true)]
    {
        let written = run(short(actions, websocket)).written;
        for (stream, (to_server, to_client)) in written.into_iter().enumerate() {
            for (to_server, bytes) in [(true, to_server), (false, to_client)] {
                for fate in [Fate::Reset, Fate::Silence, Fate::Eof] {
                    if fate == Fate::Eof && !to_server {
                        continue;
                    }
                    let step = if cfg!(debug_assertions) { 7 } else { 1 };
                    for bytes in (0..bytes).step_by(step) {
                        let mut scenario = short(actions, websocket);
                        let stream = stream as u64;
                        let plan = Plan { stream, to_server, bytes, fate };
                        scenario.plan = Some(plan);
                        let violations = scenario.run().violations;
                        assert!(violations.is_empty(), "{plan:?}: {violations:#?}");
                    }
                }
            }
        }
    }
}

/// The server may be closed, and the network may fail, between any two steps.
#[test]
fn a_session_may_be_interrupted_at_every_step() {
    for (actions, websocket) in [(&UPGRADE[..], false), (&UPGRADE[..], true)] {
        let polls = run(short(actions, websocket)).polls;
        for interruption in [Interruption::Close, Interruption::Reset, Interruption::Silence] {
            let step = if cfg!(debug_assertions) { 3 } else { 1 };
            for poll in (0..polls).step_by(step) {
                for deadline in [Duration::ZERO, Duration::from_secs(20)] {
                    let mut scenario = short(actions, websocket);
                    scenario.close_deadline = deadline;
                    scenario.interruption = Some((poll, interruption));
                    run(scenario);
                    if interruption != Interruption::Close {
                        break;
                    }
                }
            }
        }
    }
}

/// No task relies on being polled for another's sake, nor on an old waker.
#[test]
fn every_wake_up_is_asked_for() {
    for (actions, websocket) in [(&UPGRADE[..], false), (&POLLING[..], false), (&UPGRADE[..], true)]
    {
        let mut scenario = short(actions, websocket);
        scenario.habits = Habits { fresh_wakers: true, probes: true, ..Habits::default() };
        run(scenario);
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: if cfg!(debug_assertions) { 48 } else { 1_000 },
        max_shrink_iters: 300,
        failure_persistence: Some(Box::new(FileFailurePersistence::WithSource("regressions"))),
        ..ProptestConfig::default()
    })]

    #[test]
    fn both_ends_keep_their_promises(bytes in vec(any::<u8>(), 30..300)) {
        let outcome = BothEnds::draw(&bytes).run();
        prop_assert!(outcome.violations.is_empty(), "{:#?}", outcome.violations);
    }
}

/// Two clients of ours, without surprises but those of `habits` and `weather`.
fn both(acts: &[Act], transports: &[Transport], habits: Habits, weather: Weather) -> BothEnds {
    let plan = |is_dropped| ClientPlan {
        transports: transports.to_vec(),
        acts: acts.to_vec(),
        is_dropped,
    };
    BothEnds {
        habits,
        weather,
        plan: None,
        heartbeat: (Duration::from_secs(25), Duration::from_secs(20)),
        parser: None,
        clients: vec![plan(false), plan(true)],
        compresses: false,
        noise: Choices::from_seed(1),
    }
}

#[track_caller]
fn holds(run: BothEnds) {
    let outcome = run.run();
    assert!(outcome.violations.is_empty(), "{:#?}", outcome.violations);
}

const MIXED: [Act; 9] = [
    Act::Emit(5),
    Act::AtLeastOnce(3),
    Act::Ask,
    Act::Burst(5),
    Act::BeAsked,
    Act::JoinOther,
    Act::Sleep(1_000),
    Act::Reconnect,
    Act::Emit(2),
];

/// What once was wrong: output that waited behind a frame which the network took in pieces, a goodbye
/// that was not begun, a connection that outlived its request.
#[test]
fn what_has_failed_before_holds() {
    for seed in [67, 141, 168, 1_056, 3_743] {
        holds(BothEnds::draw(&bytes_of(seed)));
    }
}

/// Where the network takes a few bytes at a time, what a handler answers meanwhile waits in the
/// core, and is taken when there is room.
#[test]
fn a_narrow_network_leaves_nothing_behind() {
    let habits = Habits { probes: true, ..Habits::default() };
    let faults = Faults { capacity: 20, ..Faults::default() };
    let weather = Weather { faults, latency_least: Duration::from_micros(1), ..Weather::default() };
    for transports in TRANSPORTS {
        for compresses in [false, true] {
            for parser in [None, Some(MessagePack.into())] {
                holds(BothEnds { compresses, parser, ..both(&MIXED, transports, habits, weather) });
            }
        }
    }
}

/// Each stream in turn is cut after each of its first bytes, in each way, in either direction.
#[test]
fn a_stream_of_both_ends_may_be_cut_anywhere() {
    let weather = Weather { latency_least: Duration::from_micros(1), ..Weather::default() };
    let step = if cfg!(debug_assertions) { 37 } else { 5 };
    for transports in TRANSPORTS {
        for stream in 0..4 {
            for bytes in (0..900).step_by(step) {
                for fate in [Fate::Reset, Fate::Silence, Fate::Eof] {
                    let mut run = both(&MIXED, transports, Habits::default(), weather);
                    let to_server = bytes % 2 == 0;
                    run.plan = Some(Plan { stream, to_server, bytes, fate });
                    run.compresses = bytes % 4 < 2;
                    holds(run);
                }
            }
        }
    }
}

const TRANSPORTS: [&[Transport]; 3] =
    [&[Transport::Polling, Transport::WebSocket], &[Transport::WebSocket], &[Transport::Polling]];
