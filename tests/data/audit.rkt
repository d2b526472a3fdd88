#lang racket/base
;; A hot loop and strings, for Racket. The argument says how many rounds.
(define (step sum i)
  (modulo (+ (* sum 31) i) 1000003))

(define (one-round sum)
  (let loop ([i 0] [sum sum] [words '()])
    (if (= i 300000)
        (step sum (string-length (apply string-append words)))
        (let ([sum (step sum i)])
          (loop (+ i 1) sum
                (if (= 0 (modulo i 10)) (cons (number->string sum) words) words))))))

(define arguments (current-command-line-arguments))
(displayln
 (for/fold ([sum 0])
           ([_ (if (zero? (vector-length arguments))
                   1
                   (string->number (vector-ref arguments 0)))])
   (one-round sum)))
