// What a daemon tells systemd: that it is ready, that it lives, that it stops (sd_notify(3)).  Without a service manager
// every call does nothing.
#pragma once

namespace logvault::config {

void TellReady();
// For the unit's WatchdogSec: call it from the loop whose standing still is a failure.  Any thread; speaks at most once
// in a second.
void TellAlive();
void TellStopping();

}  // namespace logvault::config
