//! [`Few`]: the last few things that were found, so that they are not looked for again.

/// Things that are kept at most. A callsite has one split and one parent, or some that take turns.
const MOST: usize = 32;

/// A map of a few entries, by a search through all. A new one takes the place of the one that came first.
#[derive(Debug)]
pub(crate) struct Few<K, V> {
    all: Vec<(K, V)>,
    next: usize,
}

impl<K, V> Default for Few<K, V> {
    fn default() -> Self {
        Self { all: Vec::new(), next: 0 }
    }
}

impl<K: PartialEq, V> Few<K, V> {
    /// What is known of `key`, or what `find` says of it.
    #[inline]
    pub(crate) fn get_or_find(&mut self, key: K, find: impl FnOnce() -> V) -> Option<&mut V> {
        let place = match self.all.iter().position(|(known, _)| *known == key) {
            Some(place) => place,
            None => self.add(key, find()),
        };
        self.all.get_mut(place).map(|(_, value)| value)
    }

    #[cold]
    fn add(&mut self, key: K, value: V) -> usize {
        if self.all.len() < MOST {
            self.all.push((key, value));
            return self.all.len() - 1;
        }
        let place = self.next;
        self.next = (place + 1) % MOST;
        if let Some(entry) = self.all.get_mut(place) {
            *entry = (key, value);
        }
        place
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_found_is_not_looked_for_again_and_no_more_than_a_few_are_kept() {
        let mut few = Few::default();
        let mut looks = 0;
        for round in 0..3 {
            for key in 0..4 {
                let mut find = || {
                    looks += 1;
                    key * 10
                };
                assert_eq!(few.get_or_find(key, &mut find), Some(&mut (key * 10)), "{round}");
            }
        }
        assert_eq!(looks, 4);
        for key in 0..1_000 {
            assert_eq!(few.get_or_find(key, || key * 10), Some(&mut (key * 10)));
        }
        assert!(few.all.len() <= MOST);
    }
}
