// Program text that only the start needed: some 20 libraries are linked and initialised, and a forwarder that waits for
// lines uses little of them.
#pragma once

namespace logvault::forwarder {

// Takes the pages of program text out of this process.  They stay in the page cache and come back one by one as they are
// used; nothing of them was ever written.  Safe at any time; does nothing where /proc is not there.
void ReleaseTextPages();

}  // namespace logvault::forwarder
