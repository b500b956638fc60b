//! [`Traffic`]: how many bytes the disks and the network of this machine have moved.
//!
//! Only real devices count where there are any, because what passes a partition, a volume of several disks, a bridge or a
//! container's interface passes a real device too. On Linux the tables of the kernel are read directly: they are two files,
//! where asking for each device by itself takes ten files a device, and machines that run containers have hundreds.

#[cfg(target_os = "linux")]
use std::{fs, path::Path};

/// Bytes since the machine was started, by direction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Moved {
    /// Read or received.
    pub(super) inward: u64,
    /// Written or sent.
    pub(super) outward: u64,
}

impl Moved {
    fn add(&mut self, inward: u64, outward: u64) {
        self.inward = self.inward.saturating_add(inward);
        self.outward = self.outward.saturating_add(outward);
    }

    /// What was moved since `before`; nothing when a device went away meanwhile.
    pub(super) const fn since(self, before: Self) -> Self {
        Self { inward: self.inward.saturating_sub(before.inward), outward: self.outward.saturating_sub(before.outward) }
    }
}

/// What all disks and all interfaces have moved; `None` where they cannot be seen.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Traffic {
    pub(super) disks: Option<Moved>,
    pub(super) network: Option<Moved>,
}

impl Traffic {
    #[cfg(target_os = "linux")]
    pub(super) fn read() -> Self {
        let is_real = |class: &str, name: &str| Path::new(class).join(name).join("device").exists();
        let disks = fs::read_to_string("/proc/diskstats").ok();
        let network = fs::read_to_string("/proc/net/dev").ok();
        Self {
            disks: disks.and_then(|table| of_disks(&table, |name| is_real("/sys/block", name))),
            network: network.and_then(|table| of_network(&table, |name| is_real("/sys/class/net", name))),
        }
    }

    #[cfg(not(target_os = "linux"))]
    pub(super) fn read() -> Self {
        let disks =
            sysinfo::Disks::new_with_refreshed_list_specifics(sysinfo::DiskRefreshKind::nothing().with_io_usage());
        let networks = sysinfo::Networks::new_with_refreshed_list();
        let mut traffic = Self::default();
        for (number, disk) in disks.iter().flat_map(|disks| disks.iter()).enumerate() {
            // A disk may be mounted in several places.
            if disks.iter().flat_map(|disks| disks.iter()).take(number).all(|before| before.name() != disk.name()) {
                let usage = disk.usage();
                traffic.disks.get_or_insert_default().add(usage.total_read_bytes, usage.total_written_bytes);
            }
        }
        for (name, network) in networks.iter().flat_map(|networks| networks.iter()) {
            if !name.as_encoded_bytes().starts_with(b"lo") {
                let moved = traffic.network.get_or_insert_default();
                moved.add(network.total_received(), network.total_transmitted());
            }
        }
        traffic
    }
}

/// Sums up `/proc/diskstats`; see iostats.rst of the kernel's documentation. Its sectors have 512 bytes on every disk.
#[cfg(target_os = "linux")]
fn of_disks(table: &str, is_real: impl Fn(&str) -> bool) -> Option<Moved> {
    const SECTOR: u64 = 512;
    let mut sum: Option<Moved> = None;
    for line in table.lines() {
        let mut fields = line.split_ascii_whitespace().skip(2);
        // Behind the name stand reads, reads merged, sectors read, milliseconds, and the same for writes.
        let (Some(name), Some(read), Some(written)) = (fields.next(), fields.nth(2), fields.nth(3)) else { continue };
        let (Ok(read), Ok(written)) = (read.parse::<u64>(), written.parse::<u64>()) else { continue };
        // Partitions have no directory of their own there; loops, volumes and memory have no device.
        if is_real(name) {
            sum.get_or_insert_default().add(read.saturating_mul(SECTOR), written.saturating_mul(SECTOR));
        }
    }
    sum
}

/// Sums up `/proc/net/dev`. In a container no interface is real; then every one but the loopback counts.
#[cfg(target_os = "linux")]
fn of_network(table: &str, is_real: impl Fn(&str) -> bool) -> Option<Moved> {
    let (mut real, mut others): (Option<Moved>, Option<Moved>) = (None, None);
    for line in table.lines() {
        let Some((name, counts)) = line.split_once(':') else { continue };
        let name = name.trim();
        let mut counts = counts.split_ascii_whitespace();
        // Eight counts of what was received, bytes first, and then of what was sent.
        let (Some(received), Some(sent)) = (counts.next(), counts.nth(7)) else { continue };
        let (Ok(received), Ok(sent)) = (received.parse(), sent.parse()) else { continue };
        if is_real(name) {
            real.get_or_insert_default().add(received, sent);
        } else if name != "lo" {
            others.get_or_insert_default().add(received, sent);
        }
    }
    real.or(others)
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn real_disks_count_once() {
        let table = "   7       0 loop0 9 0 9 0 9 0 9 0 0 0 0
 259       0 nvme0n1 100 5 2000 77 300 6 4000 88 0 1 2 3 4 5 6
 259       1 nvme0n1p1 90 5 1900 70 290 6 3900 80 0 1 2
   8       0 sda 1 0 10 0 1 0 20 0 0 0 0
 253       0 dm-0 90 5 1900 70 290 6 3900 80 0 1 2
   8      16 sdb
";
        let real = |name: &str| name == "nvme0n1" || name == "sda";
        assert_eq!(of_disks(table, real), Some(Moved { inward: 2010 * 512, outward: 4020 * 512 }));
        assert_eq!(of_disks(table, |_| false), None);
        assert_eq!(of_disks("", real), None);
    }

    #[test]
    fn real_interfaces_count_or_in_a_container_every_one_but_the_loopback() {
        let table = "Inter-|   Receive                                                |  Transmit
 face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed
    lo: 7000 1 0 0 0 0 0 0 7000 1 0 0 0 0 0 0
  eth0: 100 2 0 0 0 0 0 0 20 3 0 0 0 0 0 0
veth12:90 2 0 0 0 0 0 0 10 3 0 0 0 0 0 0
";
        assert_eq!(of_network(table, |name| name == "eth0"), Some(Moved { inward: 100, outward: 20 }));
        assert_eq!(of_network(table, |_| false), Some(Moved { inward: 190, outward: 30 }));
        assert_eq!(of_network("lo: 7000 1 0 0 0 0 0 0 7000 1 0 0 0 0 0 0", |_| false), None);
    }

    #[test]
    fn a_device_that_went_away_is_no_traffic() {
        let (before, now) = (Moved { inward: 10, outward: 5 }, Moved { inward: 7, outward: 9 });
        assert_eq!(now.since(before), Moved { inward: 0, outward: 4 });
    }
}
