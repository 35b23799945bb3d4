//! Writes a file with all its mutants in it, each behind its number, and finds whose fault an
//! error of the compiler is.

use std::collections::HashSet;
use std::fmt::Write;
use std::ops::Range;

use crate::find::{self, Form, Place};

/// A source file with its mutants.
pub(crate) struct Source {
    /// Relative to the core's `src`.
    pub(crate) file: String,
    pub(crate) text: String,
    pub(crate) places: Vec<Place>,
    /// The number of the first alternative of each place.
    pub(crate) firsts: Vec<u32>,
}

/// Where the alternatives of a woven text are in it.
#[derive(Default)]
pub(crate) struct Map {
    alternatives: Vec<(Range<usize>, u32)>,
    places: Vec<(Range<usize>, usize)>,
}

impl Source {
    /// Finds the places of a file; its mutants have the numbers from `next` on.
    pub(crate) fn new(file: String, text: String, next: &mut u32) -> Result<Self, String> {
        let places = find::places(&text).map_err(|why| format!("{file}: {why}"))?;
        let firsts = places.iter().map(|place| {
            let first = *next;
            *next += place.alternatives.len() as u32;
            first
        });
        let firsts = firsts.collect();
        Ok(Self { file, text, places, firsts })
    }

    /// All mutants but the `removed` ones.
    pub(crate) fn woven(&self, removed: &HashSet<u32>) -> (String, Map) {
        let mut weaver =
            Weaver { source: self, removed, out: String::new(), map: Map::default(), next: 0 };
        weaver.until(self.text.len());
        (weaver.out, weaver.map)
    }

    /// The numbers of a place's mutants that are left.
    pub(crate) fn left(&self, place: usize, removed: &HashSet<u32>) -> Vec<(u32, usize)> {
        let (Some(first), Some(what)) = (self.firsts.get(place), self.places.get(place)) else {
            return Vec::new();
        };
        let all = (0..what.alternatives.len()).map(|nth| (first + nth as u32, nth));
        all.filter(|(number, _)| !removed.contains(number)).collect()
    }

    /// The innermost alternative that these bytes are in.
    pub(crate) fn blamed_alternative(map: &Map, at: &Range<usize>) -> Option<u32> {
        let holds = |range: &Range<usize>| range.start <= at.start && at.end <= range.end;
        let alternative = map.alternatives.iter().filter(|(range, _)| holds(range));
        let innermost = alternative.min_by_key(|(range, _)| range.end - range.start);
        innermost.map(|(_, number)| *number)
    }

    /// The mutants because of which there is an error at these bytes of the woven text.
    pub(crate) fn blamed(&self, map: &Map, at: &Range<usize>, removed: &HashSet<u32>) -> Vec<u32> {
        if let Some(number) = Self::blamed_alternative(map, at) {
            return vec![number];
        }
        let holds = |range: &Range<usize>| range.start <= at.start && at.end <= range.end;
        let size = |range: &Range<usize>| range.end - range.start;
        let of = |place: &usize| {
            self.left(*place, removed).into_iter().map(|(number, _)| number).collect::<Vec<_>>()
        };
        // A block that no longer ends by a `return`.
        let is_leaving = |place: &usize| {
            self.places.get(*place).is_some_and(|place| place.form == Form::Leaving)
        };
        let inside = |range: &Range<usize>| at.start <= range.start && range.end <= at.end;
        let leaving: Vec<u32> = map
            .places
            .iter()
            .filter(|(range, place)| inside(range) && is_leaving(place))
            .flat_map(|(_, place)| of(place))
            .collect();
        if !leaving.is_empty() {
            return leaving;
        }
        let place = map.places.iter().filter(|(range, _)| holds(range));
        let place = place.min_by_key(|(range, _)| size(range));
        place.map(|(_, place)| of(place)).unwrap_or_default()
    }

    /// The deleted statement because of which a value is used or borrowed again, between the
    /// bytes that an error of the borrow checker shows: one that does not come back, or else
    /// one with a `name` of the message in it.
    pub(crate) fn blamed_for_borrow(
        &self,
        map: &Map,
        within: &Range<usize>,
        names: &[&str],
        removed: &HashSet<u32>,
    ) -> Option<u32> {
        let inside = map
            .places
            .iter()
            .filter(|(range, _)| within.start <= range.start && range.end <= within.end);
        let candidates: Vec<(&Place, u32)> = inside
            .filter_map(|(_, place)| {
                let (number, _) = self.left(*place, removed).first().copied()?;
                Some((self.places.get(*place)?, number))
            })
            .collect();
        let word = |c: char| !(c.is_alphanumeric() || c == '_');
        let named = |place: &Place| {
            let text = self.text.get(place.range.clone()).unwrap_or_default();
            text.split(word).any(|found| names.contains(&found))
        };
        let leaving = candidates.iter().find(|(place, _)| place.form == Form::Leaving);
        let naming =
            || candidates.iter().find(|(place, _)| place.form == Form::Statement && named(place));
        leaving.or_else(naming).map(|(_, number)| *number)
    }
}

struct Weaver<'s> {
    source: &'s Source,
    removed: &'s HashSet<u32>,
    out: String,
    map: Map,
    /// The next place, and how far the text is written.
    next: usize,
}

impl Weaver<'_> {
    fn until(&mut self, end: usize) {
        self.span(0, end);
    }

    /// Writes the text from `from` to `end` with the places in it.
    fn span(&mut self, mut from: usize, end: usize) {
        while let Some(place) = self.source.places.get(self.next) {
            if place.range.start >= end && !(place.range.end == end && place.range.start == end) {
                break;
            }
            if place.range.end > end {
                break;
            }
            let nth = self.next;
            self.next += 1;
            self.copy(from..place.range.start);
            self.place(nth, place);
            from = place.range.end;
        }
        self.copy(from..end);
    }

    fn copy(&mut self, range: Range<usize>) {
        self.out.push_str(self.source.text.get(range).unwrap_or_default());
    }

    fn put(&mut self, text: std::fmt::Arguments<'_>) {
        // A string takes everything.
        let _ = self.out.write_fmt(text);
    }

    fn place(&mut self, nth: usize, place: &Place) {
        let left = self.source.left(nth, self.removed);
        let first = self.source.firsts.get(nth).copied().unwrap_or_default();
        let count = place.alternatives.len();
        let began = self.out.len();
        let inside = |weaver: &mut Self| weaver.span(place.range.start, place.range.end);
        if left.is_empty() {
            return inside(self);
        }
        let at = format!("crate::mutant::at({first}, {count})");
        match place.form {
            Form::Expression => {
                self.put(format_args!("(match {at} {{ "));
                // The compiler takes the type from the first arm.
                self.put(format_args!("0 => ("));
                inside(self);
                self.put(format_args!(")"));
                for (i, (number, alternative)) in left.iter().enumerate() {
                    let Some(other) = place.alternatives.get(*alternative) else { continue };
                    self.put(format_args!(", "));
                    let start = self.out.len();
                    if i + 1 == left.len() {
                        self.put(format_args!("_ => ({})", other.text));
                    } else {
                        self.put(format_args!("{} => ({})", alternative + 1, other.text));
                    }
                    self.map.alternatives.push((start..self.out.len(), *number));
                }
                self.put(format_args!(" }})"));
            }
            Form::Statement | Form::Leaving => {
                self.put(format_args!("if {at} == 0 {{ "));
                inside(self);
                self.put(format_args!(" }}"));
            }
            Form::Entry => {
                self.put(format_args!(" match {at} {{ "));
                for (number, alternative) in left {
                    let Some(other) = place.alternatives.get(alternative) else { continue };
                    let start = self.out.len();
                    self.put(format_args!("{} => return {}, ", alternative + 1, other.text));
                    self.map.alternatives.push((start..self.out.len(), number));
                }
                self.put(format_args!("_ => {{}} }} "));
            }
            Form::Arm => {
                self.put(format_args!(" if {at} == 0 "));
            }
        }
        self.map.places.push((began..self.out.len(), nth));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "fn f(a: u8) -> u8 { if a + 1 < 3 { g(); } match a { 4 => a, _ => 6 } }";

    fn source() -> Source {
        Source::new("f.rs".into(), TEXT.into(), &mut 1).expect("it is Rust")
    }

    #[test]
    fn without_its_mutants_a_text_is_what_it_was() {
        let all: HashSet<u32> = (1..1000).collect();
        assert_eq!(source().woven(&all).0, TEXT);
    }

    #[test]
    fn with_its_mutants_a_text_is_still_rust_and_every_alternative_is_in_its_map() {
        let source = source();
        let (text, map) = source.woven(&HashSet::new());
        assert!(syn::parse_file(&text).is_ok(), "{text}");
        for (range, number) in &map.alternatives {
            assert_eq!(
                source.blamed(&map, range, &HashSet::new()),
                [*number],
                "{}",
                &text[range.clone()]
            );
        }
    }

    #[test]
    fn a_removed_mutant_leaves_the_numbers_of_the_others() {
        let source = source();
        let all = source.places.iter().map(|place| place.alternatives.len()).sum::<usize>();
        let (with, _) = source.woven(&HashSet::new());
        let (without, map) = source.woven(&HashSet::from([3]));
        assert!(with.len() > without.len());
        assert!(map.alternatives.iter().all(|(_, number)| *number != 3 && *number as usize <= all));
    }
}
