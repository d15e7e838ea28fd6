//! Random plans for two engines: nothing that both are allowed to do may make them disagree.

use ferrion_tests::chaos::{Op, Setting, run, run_octet_by_octet, run_with_noise};
use proptest::prelude::*;

fn op() -> impl Strategy<Value = Op> {
    (any::<u8>(), any::<u8>(), any::<u16>()).prop_map(|(kind, pick, amount)| Op {
        kind,
        pick,
        amount,
    })
}

fn setting() -> impl Strategy<Value = Setting> {
    let starts = prop_oneof![Just(0), Just(0xffff_fffe), Just(0x7fff_fff0), any::<u32>()];
    let sizes = prop_oneof![Just(512), Just(700), Just(65_536)];
    let windows = prop_oneof![Just(1), Just(3), Just(100), Just(2048)];
    let outputs = prop_oneof![Just(1), Just(2_000), Just(65_536)];
    let idles = prop_oneof![Just(None), Just(Some(900)), Just(Some(60_000))];
    (any::<u64>(), sizes, windows, starts, outputs, idles).prop_map(
        |(seed, max_frame_size, window, start, output, idle)| Setting {
            seed,
            max_frame_size,
            window,
            start,
            output,
            idle,
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, max_shrink_iters: 20_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_same_plan_gives_the_same_octets_and_events(setting in setting(), plan in prop::collection::vec(op(), 1..100)) {
        prop_assert!(run(setting, &plan) == run(setting, &plan));
    }

    /// With all output encoded at once, since otherwise what is encoded when depends on how much of it was taken.
    #[test]
    fn how_octets_are_cut_changes_no_octet_and_no_event(setting in setting(), plan in prop::collection::vec(op(), 1..100)) {
        let setting = Setting { output: usize::MAX, seed: setting.seed | 1, ..setting };
        prop_assert!(run(setting, &plan) == run_octet_by_octet(setting, &plan));
    }

    #[test]
    fn serial_numbers_near_the_wrap_and_the_middle_behave_as_zero_does(
        setting in setting(),
        start in prop_oneof![0xffff_ffd0u32.., 0x7fff_ffd0u32..0x8000_0010, any::<u32>()],
        plan in prop::collection::vec(op(), 1..100),
    ) {
        // Larger numbers take more octets, so these may not be counted.
        let whole = Setting { seed: 0, output: usize::MAX, ..setting };
        let zero = run(Setting { start: 0, ..whole }, &plan);
        let other = run(Setting { start, ..whole }, &plan);
        prop_assert_eq!(&zero.events, &other.events);
        prop_assert!(zero.frames() == other.frames());
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 10_000, max_shrink_iters: 20_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn short_plans_keep_both_sides_in_agreement(setting in setting(), plan in prop::collection::vec(op(), 1..60)) {
        run(setting, &plan);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, max_shrink_iters: 20_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn long_plans_keep_both_sides_in_agreement(setting in setting(), plan in prop::collection::vec(op(), 200..800)) {
        run(setting, &plan);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 5_000, max_shrink_iters: 20_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn plans_over_a_line_that_changes_octets_end(
        setting in setting(),
        rarity in 50usize..3000,
        plan in prop::collection::vec(op(), 20..120),
    ) {
        run_with_noise(setting, rarity, &plan);
    }
}

/// A plan that once ended with a detach without its attach: the peer closed a link that was detached only, and ended the session
/// before the link could be attached and closed once more (2.6.6).
#[test]
fn a_link_that_cannot_be_attached_once_more_is_not_detached_either() {
    let op = |(kind, pick, amount)| Op { kind, pick, amount };
    let mut plan: Vec<Op> = [
        (2, 0, 0),
        (220, 0, 0),
        (2, 0, 0),
        (28, 0, 12_181),
        (218, 128, 1_998),
        (116, 0, 50_820),
        (249, 128, 984),
    ]
    .map(op)
    .into();
    plan.resize_with(200, || op((0, 0, 0)));
    plan[23] = op((38, 0, 0));
    let setting = Setting {
        seed: 1_003_389_138,
        max_frame_size: 512,
        window: 1,
        start: 0,
        output: 1,
        idle: Some(900),
    };
    run(setting, &plan);
}
