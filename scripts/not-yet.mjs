process.stderr.write(`npm run ${process.argv[2]}: not there yet\n`)
process.exitCode = 1
