//! Random plans for two engines: nothing that both are allowed to do may make them disagree.

use ferrion_tests::chaos::{Op, Setting, run, run_with_noise};
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
    (any::<u64>(), sizes, windows, starts).prop_map(|(seed, max_frame_size, window, start)| {
        Setting {
            seed,
            max_frame_size,
            window,
            start,
        }
    })
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
