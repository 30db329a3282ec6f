//! Renaming the variants of a product. A title, or a combination of option values, becomes free when the
//! variant that has it gets another one, so they are renamed in the order in which they become free.

use std::collections::{HashMap, VecDeque};

use atoll_kernel::{Fault, Id};
use atoll_product::{Choices, Error, Product, ProductOptionValue, ProductVariant, VARIANTS, variants_of};

use super::{
    Import,
    variants::{Taken, choice},
};
use crate::{ProblemKind, csv::Field};

/// What one variant of a product has at a time.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Own {
    Title(String),
    Values(Vec<Id<ProductOptionValue>>),
}

impl Own {
    fn of(title: &str, values: &[Id<ProductOptionValue>]) -> Vec<Own> {
        let mut own = vec![Own::Title(title.to_owned())];
        own.extend((!values.is_empty()).then(|| Own::Values(values.to_vec())));
        own
    }
}

/// A variant that is to have something else.
struct Rename {
    id: Id<ProductVariant>,
    from: Vec<Own>,
    to: Vec<Own>,
}

/// Who has what, while the order of renames is found.
#[derive(Default)]
struct Held {
    by: HashMap<Own, Vec<Id<ProductVariant>>>,
    /// How often a rename was tried.
    n_tries: usize,
}

impl Held {
    fn add(&mut self, own: &Own, id: &Id<ProductVariant>) {
        self.by.entry(own.clone()).or_default().push(id.clone());
    }

    /// Another variant that has what this one is to have.
    fn in_the_way_of(&self, it: &Rename) -> Option<&Id<ProductVariant>> {
        it.to.iter().find_map(|own| self.by.get(own)?.iter().find(|id| **id != it.id))
    }

    /// The order in which the renames can be done, by their places; those that cannot are left out. One that
    /// waits is tried again when what was in its way has gone, so there are about as many tries as renames.
    fn order(&mut self, renames: &[Rename]) -> Vec<usize> {
        let mut order = Vec::with_capacity(renames.len());
        let mut waiting: HashMap<Id<ProductVariant>, Vec<usize>> = HashMap::new();
        let mut next: VecDeque<usize> = (0..renames.len()).collect();
        while let Some(n) = next.pop_front() {
            self.n_tries += 1;
            let it = &renames[n];
            if let Some(other) = self.in_the_way_of(it) {
                waiting.entry(other.clone()).or_default().push(n);
                continue;
            }
            for own in &it.from {
                self.by.entry(own.clone()).or_default().retain(|id| *id != it.id);
            }
            it.to.iter().for_each(|own| self.add(own, &it.id));
            order.push(n);
            next.extend(waiting.remove(&it.id).unwrap_or_default());
        }
        order
    }
}

impl Import<'_> {
    /// Renames the variants whose title or option values are others than before, and offers these values.
    /// What another variant has stays with it, which is reported. Returns whether anything was renamed.
    pub(super) fn rename(
        &mut self,
        product: &Product,
        variants: &[Taken<'_>],
        choices: &mut Choices<'_>,
    ) -> Result<bool, Fault> {
        let keeps_title = !self.so_far.outline.source.tells(Field::VariantTitle);
        let (mut renames, mut of) = (Vec::new(), Vec::new());
        for it in variants {
            let Some(there) = &it.there else { continue };
            let (title, choice) =
                (if keeps_title { &there.title } else { &it.input.title }, choice(it.input));
            let mut values = there.option_value_ids.clone();
            if choices.are_options(&choice) {
                match choices.offer(self.tx, self.at, &choice) {
                    Ok(()) => values = choices.choose(title, &choice)?,
                    Err(error @ Error::TooManyValues) => {
                        let message = format!("{error}; its option values stay");
                        self.problem(&it.path, ProblemKind::Limit, message);
                    }
                    Err(error) => return Err(error.into()),
                }
            }
            let rename = Rename {
                id: there.id.clone(),
                from: Own::of(&there.title, &there.option_value_ids),
                to: Own::of(title, &values),
            };
            if rename.from != rename.to {
                renames.push(rename);
                of.push((it, title, values));
            }
        }
        if renames.is_empty() {
            return Ok(false);
        }
        let mut held = Held::default();
        for it in variants_of(self.tx, &product.id)? {
            Own::of(&it.title, &it.option_value_ids).iter().for_each(|own| held.add(own, &it.id));
        }
        let order = held.order(&renames);
        let mut stays = vec![true; renames.len()];
        for n in order {
            let (_, title, values) = &of[n];
            VARIANTS.update(self.tx, self.at, &renames[n].id, |it: &mut ProductVariant| {
                (it.title, it.option_value_ids) = ((*title).clone(), values.clone());
            })?;
            stays[n] = false;
        }
        for ((it, ..), _) in of.iter().zip(&stays).filter(|(_, stays)| **stays) {
            let title = &it.input.title;
            let message = format!("another variant is called `{title}`; the title stays");
            self.problem(&it.path, ProblemKind::Title, message);
        }
        Ok(stays.contains(&false))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Variants are numbers; each is called by the first one, and is to be called by the second.
    fn order(titles: &[(usize, usize)]) -> (Vec<usize>, usize) {
        let own = |n: usize| Own::of(&n.to_string(), &[]);
        let mut held = Held::default();
        let renames: Vec<Rename> = titles
            .iter()
            .enumerate()
            .map(|(n, (from, to))| Rename { id: n.to_string().into(), from: own(*from), to: own(*to) })
            .collect();
        for it in &renames {
            it.from.iter().for_each(|own| held.add(own, &it.id));
        }
        let order = held.order(&renames);
        (order, held.n_tries)
    }

    #[test]
    fn a_title_is_taken_when_it_is_free() {
        assert_eq!(order(&[(0, 1), (1, 2), (2, 3)]).0, [2, 1, 0]);
        // Of a circle nobody can begin, and of two that want the same the first one gets it.
        assert_eq!(order(&[(0, 1), (1, 0), (2, 3), (4, 3)]).0, [2]);
        assert_eq!(order(&[(0, 1), (2, 1), (1, 3)]).0, [2, 0]);
    }

    /// A column that has slipped by one row: each variant wants the title of the next one.
    #[test]
    fn a_chain_of_renames_takes_two_tries_each() {
        let n = 1_000;
        let titles: Vec<(usize, usize)> = (0..n).map(|it| (it, it + 1)).collect();
        let (order, n_tries) = order(&titles);
        assert_eq!((order.len(), n_tries), (n, 2 * n - 1));
    }
}
