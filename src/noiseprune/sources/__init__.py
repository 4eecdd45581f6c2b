"""Where networks come from: files, objects in memory, and the leak that is made for weights without one."""
