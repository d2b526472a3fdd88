// jsc.js: what is in hot.js, and whether it was compiled.
print(everything(60));
print(typeof WebAssembly);
for (let i = 0; i < 200000; i++)
	step(i, 1);
var compiled = numberOfDFGCompiles(step);
print('compiled: ' + (compiled > 0 && compiled < 1000000 ? 'yes' : 'no'));
