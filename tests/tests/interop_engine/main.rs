//! The engine with real peers, feature by feature: each scenario as client and as server of python-qpid-proton's engine and of
//! rhea, over TCP. Both sides do what the test says, step by step.
//!
//! What a peer can not do is looked at all the same: the test asserts what happens instead. All of it, with where it shows:
//!
//! | peer | what | where |
//! |---|---|---|
//! | Proton | has no capabilities of links | [`links::properties_travel`] |
//! | Proton | has no properties of sessions; nor has rhea | nowhere: there is no call to try |
//! | rhea | tells keys of maps and symbols in them as strings to the application | [`common::plain`] |
//! | rhea | answers a detach that does not close with one that does | [`links::a_link_comes_again`] |
//! | rhea | can not send a message in parts, nor take one back, nor sees that one was taken back | [`parts`] |
//! | rhea | opens its window only when its application does something: a message of more frames than the window stalls | [`flow::a_small_window_of_the_peer_lets_all_of_it_through`] |
//! | rhea | writes the keys of an error's info as strings, where the specification has symbols | [`ends::links_and_sessions_end_for_a_reason`] |
//! | Proton | does not answer a drain when deliveries have used the credit, or there was none | [`flow::ferrion_drains`] |
//! | rhea | knows the answer to a drain by its flag alone | [`flow::ferrion_is_drained`] |
//! | rhea | waits for twice the idle time-out that it advertises | [`idle::ferrion_that_stops_is_noticed`] |
//! | Proton | settles nothing by itself, whatever the settle mode: its application does | [`settling`] |

mod common;
mod ends;
mod flow;
mod idle;
mod links;
mod many;
mod parts;
mod settling;
