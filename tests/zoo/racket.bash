# racket.bash: Racket: modules, eval, threads of its own, places, which are threads
# of the system's.

needs=racket

load() {
	racket "$zoo/racket.rkt"
}
