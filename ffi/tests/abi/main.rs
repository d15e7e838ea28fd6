//! The ABI as a C user meets it: the header, the rules it keeps, the installed library, and programs built against both.

mod asyncio;
mod beginning;
mod cmake;
mod coverage;
mod cpp;
mod drive;
mod engine_attacked;
mod engine_coverage;
mod engine_examples;
mod header;
mod install;
mod languages;
mod misuse;
mod names;
mod pages;
mod perl;
mod pki;
mod programs;
mod python;
mod reference;
mod ruby;
mod rules;
mod support;
mod typing;
