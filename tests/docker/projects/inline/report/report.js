process.stdout.write("a report");
