// hello: says which process it is and on which kernel, then closes a descriptor that was never open.
//
// Three gaps are left, marked TODO 1 to TODO 3. Fill them in that order and run the program after each:
//
//   npx expserver-course run hello

import { EINTR, errnoMessage, SystemCallError } from "expserver-course/linux";

// TODO 2: no kernel of today is Linux 0.01, and no program is process 0. Ask the kernel itself:
//   getpid() returns the number of this process,
//   uname() returns an object with the texts sysname ("Linux") and release ("6.1.0-18-amd64").
// Import both above, and put what they return in the place of 0, Linux and 0.01.
print(`hello from process ${0} on Linux 0.01\n`);

try {
  // TODO 3a: descriptor 99 was never opened. Close it all the same: import close, call close(99) here.
  todo("3: close descriptor 99");
} catch (error) {
  // Anything else than a refused system call is a fault of this program, and should look like one.
  if (!(error instanceof SystemCallError)) throw error;
  // TODO 3b: print the line
  //   close(99): EBADF (bad file descriptor)
  // Type neither the name nor the reason yourself, take them from the error: error.syscall is "close",
  // error.code the name, error.errno the number, and errnoMessage(error.errno) the reason in words.
}

/** Writes a text to descriptor 1, the standard output. */
function print(text: string): void {
  // The kernel knows bytes, not strings: the text becomes UTF-8 first.
  let rest: Uint8Array = Buffer.from(text);
  while (rest.length > 0) {
    // TODO 1: import write above and replace the next line: call write with descriptor 1, the bytes in
    // `rest` and their number, and keep what it returns in `count`.
    const count: number = todo("1: write the bytes to descriptor 1");
    if (count === -EINTR) continue; // a signal came first and nothing was written: ask again
    if (count < 0) {
      console.error(`hello: cannot write: ${errnoMessage(count)}`);
      process.exit(1);
    }
    rest = rest.subarray(count); // write may take fewer bytes than it was offered
  }
}

/** Stands where code is missing. Remove it after the last gap is filled. */
function todo(what: string): never {
  throw new Error(`TODO ${what}`);
}
