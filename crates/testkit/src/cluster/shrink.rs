//! Makes a failing script shorter: parts of it are taken out as long as what is left fails in the same way.

use super::script::Script;

/// Returns a script that still `fails`, and would not without any one of its steps or troubles, unless that took more
/// than `tries` runs to find.
pub(crate) fn shrink(script: &Script, mut tries: usize, mut fails: impl FnMut(&Script) -> bool) -> Script {
    let mut smallest = script.clone();
    let mut size = (length(&smallest) / 2).max(1);
    loop {
        let mut from = 0;
        let mut shrunk = false;
        while from < length(&smallest) && tries > 0 {
            tries -= 1;
            let shorter = without(&smallest, from, size);
            if fails(&shorter) {
                smallest = shorter;
                shrunk = true;
            } else {
                from += size;
            }
        }
        if tries == 0 || (size == 1 && !shrunk) {
            return smallest;
        }
        // What was needed before may not be needed any more.
        size = if size == 1 { 1 } else { size / 2 };
    }
}

fn length(script: &Script) -> usize {
    script.troubles.len() + script.steps.len()
}

/// The script without some of what it has, troubles first.
fn without(script: &Script, from: usize, size: usize) -> Script {
    let mut shorter = script.clone();
    let mut number = 0..;
    let mut stays = || number.next().is_none_or(|number| !(from..from + size).contains(&number));
    shorter.troubles.retain(|_| stays());
    shorter.steps.retain(|_| stays());
    shorter
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::ClusterOptions;

    #[test]
    fn what_is_left_is_what_it_takes() {
        let script = Script::of(1, &ClusterOptions::new().steps(100..=100));
        let (one, other) = (script.steps[17].clone(), script.steps[80].clone());
        let fails = |script: &Script| script.steps.contains(&one) && script.steps.contains(&other);

        let smallest = shrink(&script, 1_000, fails);

        assert_eq!(smallest.steps, [one.clone(), other.clone()]);
        assert_eq!(smallest.troubles, []);
        assert_eq!(length(&shrink(&script, 0, fails)), length(&script));
    }
}
